"use strict";
// Shows an answer while it is written, and sends with Enter. Without this script the page reloads until it is there.
(() => {
  const toEnd = (turns) => turns.lastElementChild?.scrollIntoView({ block: "nearest" });

  const listen = (turns) => {
    const open = turns.querySelector("[data-stream]");
    if (!open) return;
    const text = open.querySelector("[data-text]");
    const progress = open.querySelector("[data-progress]");
    const source = new EventSource(open.dataset.stream);
    const finish = async () => {
      source.close();
      const answer = await fetch(open.dataset.turns, { headers: { "HX-Request": "true" } });
      if (!answer.ok) return location.reload();
      turns.innerHTML = await answer.text();
      toEnd(turns);
      return listen(turns);
    };
    source.addEventListener("text", (event) => {
      text.textContent += JSON.parse(event.data).text;
      toEnd(turns);
    });
    // A step that ended was a part of the work; the answer itself stands in the thread then.
    source.addEventListener("step", (event) => {
      if (JSON.parse(event.data).agent === "router") text.textContent = "";
    });
    source.addEventListener("status", (event) => {
      const status = JSON.parse(event.data);
      progress.textContent = status.progress || "Thinking";
      if (status.status === "waiting") finish();
    });
    source.addEventListener("end", finish);
  };
  const start = (root) => root.querySelectorAll(".turns").forEach((turns) => {
    listen(turns);
    toEnd(turns);
  });

  document.addEventListener("keydown", (event) => {
    if (!event.target.matches(".chat-form textarea")) return;
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (event.target.value.trim()) event.target.form.requestSubmit();
  });
  document.addEventListener("click", (event) => {
    const idea = event.target.closest("[data-idea]");
    if (!idea) return;
    const area = idea.closest(".chat-main").querySelector(".chat-form textarea");
    area.value = idea.dataset.idea;
    area.focus();
  });
  // The panel beside the composer arrives later.
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.closest("#chat-panel")) start(event.target);
  });
  start(document);
})();
