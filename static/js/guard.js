"use strict";
// Marks what the rules found in the text that is being written, and puts a fix in its place with one click.
(() => {
  const form = document.getElementById("composer-form");
  if (!form) return;
  // By field: what was marked, and in which text.
  const known = new Map();
  const items = (id) => [...form.querySelectorAll("[data-guard-field]")].filter((item) => item.dataset.guardField === id);
  const spanOf = (item) => ({ start: Number(item.dataset.start), end: Number(item.dataset.end), words: item.dataset.words, kind: item.className.match(/is-\w+/)[0] });
  const textareas = () => [...form.querySelectorAll(".part > .stack > textarea")];

  // What was typed since the answer moves the marks; those it touched go until the next answer.
  const moved = (spans, before, after) => {
    let head = 0, tail = 0;
    const shorter = Math.min(before.length, after.length);
    while (head < shorter && before[head] === after[head]) head += 1;
    while (tail < shorter - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;
    const shift = after.length - before.length;
    return spans.flatMap((span) => {
      if (span.end <= head) return [span];
      return span.start >= before.length - tail ? [{ ...span, start: span.start + shift, end: span.end + shift }] : [];
    });
  };
  const mirrorOf = (area) => {
    const found = area.nextElementSibling;
    if (found?.matches(".guard-mirror")) return found;
    const mirror = Object.assign(document.createElement("div"), { className: "guard-mirror" });
    mirror.setAttribute("aria-hidden", "true");
    area.after(mirror);
    return mirror;
  };
  const lay = (area, mirror) => {
    const style = getComputedStyle(area);
    for (const name of ["font", "letterSpacing", "padding", "tabSize"]) mirror.style[name] = style[name];
    mirror.style.left = `${area.offsetLeft}px`;
    mirror.style.top = `${area.offsetTop}px`;
    mirror.style.width = `${area.clientWidth}px`;
    mirror.style.height = `${area.clientHeight}px`;
    mirror.scrollTop = area.scrollTop;
  };
  const paint = (area) => {
    const mirror = mirrorOf(area);
    const { spans = [] } = known.get(area.id) || {};
    mirror.hidden = area.hidden || !spans.length;
    if (mirror.hidden) return mirror.replaceChildren();
    const pieces = [];
    let at = 0;
    for (const span of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
      if (span.start < at) continue;
      const mark = Object.assign(document.createElement("mark"), { className: span.kind, textContent: area.value.slice(span.start, span.end) });
      pieces.push(area.value.slice(at, span.start), mark);
      at = span.end;
    }
    // A line end at the very end takes no room without something behind it.
    mirror.replaceChildren(...pieces, `${area.value.slice(at)}\u200b`);
    return lay(area, mirror);
  };
  const read = () => textareas().forEach((area) => {
    const spans = items(area.id).map(spanOf).filter((span) => span.start < span.end);
    // The answer may be about a text that has changed meanwhile: only what still stands there is marked.
    known.set(area.id, { text: area.value, spans: spans.filter((span) => area.value.slice(span.start, span.end) === span.words) });
    paint(area);
  });
  const isText = (element) => element?.matches?.(".part > .stack > textarea");
  form.addEventListener("input", ({ target }) => {
    if (!isText(target)) return;
    const before = known.get(target.id);
    if (before) known.set(target.id, { text: target.value, spans: moved(before.spans, before.text, target.value) });
    paint(target);
  });
  document.addEventListener("scroll", ({ target }) => { if (isText(target)) mirrorOf(target).scrollTop = target.scrollTop; }, true);
  window.addEventListener("resize", () => textareas().forEach(paint));
  document.addEventListener("htmx:afterSettle", read);
  read();

  const put = (area, start, end, text) => {
    area.focus();
    area.setSelectionRange(start, end);
    // Keeps the browser's own undo, which setRangeText forgets.
    const isDone = text ? document.execCommand("insertText", false, text) : document.execCommand("delete");
    if (isDone) return;
    area.setRangeText(text, start, end, "end");
    area.dispatchEvent(new InputEvent("input", { bubbles: true }));
  };
  const show = (area) => {
    if (!area.hidden) return true;
    const own = area.id.split("-override-")[1];
    document.getElementById(own ? `tab-${own}` : "tab-shared")?.click();
    return false;
  };
  form.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-guard-apply]");
    if (!button) return;
    const item = button.closest("[data-guard-field]");
    const area = document.getElementById(item.dataset.guardField);
    const { start, end, words } = spanOf(item);
    if (!area || !show(area)) return;
    const at = area.value.slice(start, end) === words ? start : area.value.indexOf(words);
    if (at >= 0) put(area, at, at + words.length, button.dataset.guardApply);
  });
})();
