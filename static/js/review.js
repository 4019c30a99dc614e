"use strict";
// Deciding with the keyboard. The page works without this file.
(() => {
  const typing = (element) => element.matches("input, textarea, select, [contenteditable]");
  const find = (key) => document.querySelector(`[data-review-key="${key}"]`);
  const reason = () => document.getElementById("reason");
  // Which button Ctrl+Enter presses in the field for the reason.
  let chosen = "c";
  document.addEventListener("keydown", (event) => {
    if (event.target.id === "reason" && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      reason().form.requestSubmit(find(chosen));
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    const target = "acrjk".includes(event.key) && find(event.key);
    if (!target) return;
    event.preventDefault();
    if (!"cr".includes(event.key)) {
      target.click();
      return;
    }
    chosen = event.key;
    document.querySelectorAll("[data-review-key]").forEach((one) => one.classList.toggle("is-chosen", one === target));
    if (reason().value.trim()) target.focus();
    else reason().focus();
  });
})();
