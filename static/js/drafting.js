"use strict";
// Drafts beside the composer: the ticked sentences are what is inserted, and the form says so when it is saved.
(() => {
  const form = document.getElementById("composer-form");
  if (!form) return;

  const chosen = (card) => [...card.querySelectorAll("[data-sentence]:checked")];
  const wordsOf = (box) => box.closest("label").querySelector("span").textContent.trim();
  // Chinese and Japanese set no space between sentences.
  const join = (card) => {
    const isSpaceless = /^(zh|ja)/.test(card.querySelector("[lang]")?.lang || "");
    return chosen(card).map(wordsOf).join(isSpaceless ? "" : " ");
  };

  document.addEventListener("change", (event) => {
    const card = event.target.closest?.("[data-draft]");
    if (!card) return;
    const button = card.querySelector("[data-draft-insert]");
    const isWhole = chosen(card).length === card.querySelectorAll("[data-sentence]").length;
    button.dataset.whole ??= button.dataset.insert;
    button.dataset.insert = isWhole ? button.dataset.whole : join(card);
    button.disabled = chosen(card).length === 0;
  });

  // composer.js puts the words in; this remembers where they come from.
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-draft-insert]");
    if (!button) return;
    const card = button.closest("[data-draft]");
    const numbers = chosen(card).map((box) => box.dataset.sentence).join(",");
    const field = Object.assign(document.createElement("input"), { type: "hidden", name: "drafted", value: `${card.dataset.draft}:${numbers}` });
    form.append(field);
    const label = form.querySelector("[name='made_with_ai']");
    if (label && !label.checked) label.click();
  });
})();
