"use strict";
// Goes through conversations with j and k, to the answer with r, and puts saved replies in.
(() => {
  const go = (step) => {
    const links = [...document.querySelectorAll("[data-talk]")];
    const at = links.findIndex((link) => link.hasAttribute("aria-current"));
    links[Math.max(0, Math.min(links.length - 1, at + step))]?.click();
  };
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, textarea, select, [contenteditable]") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "j") go(1);
    else if (event.key === "k") go(-1);
    else if (event.key === "r") {
      event.preventDefault();
      document.getElementById("reply-text")?.focus();
    }
  });
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-saved]") || !event.target.value) return;
    const area = document.getElementById("reply-text");
    area.value = event.target.value;
    event.target.value = "";
    area.focus();
  });
})();
