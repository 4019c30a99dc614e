"use strict";
// Dragging posts, by mouse, pen or finger. Whatever it does, the forms on the page do too.
(() => {
  const byId = (id) => document.getElementById(id);
  const on = (type, handler, options) => document.addEventListener(type, handler, options);
  const START_PX = 6;
  const HOLD_MS = 350;
  const EDGE_PX = 60;
  const SCROLL_PX = 14;

  // --- the form that moves a post ---
  const fill = (link, day, time) => {
    const form = byId("move-form");
    form.elements.delivery.value = link.dataset.delivery;
    form.elements.seen.value = link.dataset.seen;
    form.elements.day.value = day;
    form.elements.time.value = time;
    form.querySelector("input[name=now]")?.remove();
    return form;
  };
  const openMove = (link, day = link.dataset.date, time = link.dataset.clock) => {
    fill(link, day, time);
    byId("move-what").textContent = `“${link.dataset.title}”`;
    byId("move-dialog").showModal();
    byId("move-day").focus();
  };
  const publishNow = (link) => {
    const form = fill(link, link.dataset.date, "");
    const now = Object.assign(document.createElement("input"), { type: "hidden", name: "now", value: "on" });
    form.append(now);
    form.requestSubmit();
  };

  // The wall clock of the workspace, as "2026-12-15 09:30".
  const wallNow = () => new Date().toLocaleString("sv", { timeZone: byId("calendar").dataset.zone }).slice(0, 16);
  let late = null;
  const askPast = (link, day, time) => {
    late = { link, day };
    byId("past-what").textContent = `${day}, ${time} is over. “${link.dataset.title}” stays where it is unless you choose otherwise.`;
    document.querySelector("[data-past-now]").hidden = !("publish" in link.dataset);
    byId("past-dialog").showModal();
  };
  const drop = (link, { day, time = "" }) => {
    const wall = time || link.dataset.clock;
    if (day === link.dataset.date && (!time || time.slice(0, 2) === link.dataset.clock.slice(0, 2))) return;
    if (`${day} ${wall}` < wallNow()) askPast(link, day, wall);
    else fill(link, day, time).requestSubmit();
  };

  // --- the queue ---
  const dropInQueue = (item, target) => {
    const form = byId("queue-form");
    if (item === target || !form) return;
    form.elements.delivery.value = item.dataset.delivery;
    form.elements.place.value = target.dataset.place;
    form.requestSubmit();
  };

  // --- dragging ---
  let held = null;
  const targetAt = (x, y) => document.elementFromPoint(x, y)?.closest("[data-drop]") ?? null;
  const mark = (target) => {
    if (held.target === target) return;
    held.target?.classList.remove("is-over");
    target?.classList.add("is-over");
    held.target = target;
  };
  const lift = () => {
    held.ghost = held.item.cloneNode(true);
    held.ghost.classList.add("cal-ghost");
    held.ghost.setAttribute("aria-hidden", "true");
    document.body.append(held.ghost);
    held.item.classList.add("is-lifted");
    document.documentElement.classList.add("is-dragging");
    follow(held.x, held.y);
  };
  const follow = (x, y) => {
    Object.assign(held, { x, y });
    held.ghost.style.translate = `${x + 8}px ${y + 8}px`;
    mark(targetAt(x, y));
    const step = y < EDGE_PX ? -SCROLL_PX : y > innerHeight - EDGE_PX ? SCROLL_PX : 0;
    if (step) scrollBy(0, step);
  };
  const release = () => {
    clearTimeout(held.timer);
    held.ghost?.remove();
    held.item.classList.remove("is-lifted");
    held.target?.classList.remove("is-over");
    document.documentElement.classList.remove("is-dragging");
    held = null;
  };
  on("pointerdown", (event) => {
    const item = event.target.closest("[data-drag]");
    if (!item || held || event.button || event.target.closest(".cal-tools, button, input, summary")) return;
    held = { item, x: event.clientX, y: event.clientY, pointer: event.pointerId, isTouch: event.pointerType === "touch" };
    // A finger that moves at once scrolls; one that rests takes the post up.
    if (held.isTouch) held.timer = setTimeout(lift, HOLD_MS);
  });
  on("pointermove", (event) => {
    if (!held || event.pointerId !== held.pointer) return;
    const far = Math.hypot(event.clientX - held.x, event.clientY - held.y) > START_PX;
    if (held.ghost) follow(event.clientX, event.clientY);
    else if (far && held.isTouch) release();
    else if (far) lift();
  });
  let justDropped = false;
  on("pointerup", (event) => {
    if (!held || event.pointerId !== held.pointer) return;
    const { item, target, ghost } = held;
    release();
    if (!ghost) return;
    // The click that follows the drop must not open the post.
    justDropped = true;
    setTimeout(() => { justDropped = false; });
    if (!target) return;
    if (item.dataset.place) dropInQueue(item, target);
    else drop(item.querySelector("[data-move]"), target.dataset);
  });
  on("pointercancel", () => held && release());
  on("keydown", (event) => {
    if (event.key !== "Escape" || !held?.ghost) return;
    release();
    event.preventDefault();
  });
  on("touchmove", (event) => held?.ghost && event.preventDefault(), { passive: false });
  on("contextmenu", (event) => held?.isTouch && event.preventDefault());
  on("dragstart", (event) => event.target.closest?.("[data-drag]") && event.preventDefault());

  // --- buttons ---
  on("click", (event) => {
    const hit = (selector) => event.target.closest(selector);
    if (justDropped) {
      event.preventDefault();
      return;
    }
    const link = hit("[data-move]");
    if (link && byId("move-dialog") && !(event.ctrlKey || event.metaKey || event.shiftKey)) {
      event.preventDefault();
      openMove(link);
    }
    if (hit("[data-close]")) hit("dialog").close();
    if (hit("[data-past-now], [data-past-later]")) {
      byId("past-dialog").close();
      if (hit("[data-past-now]")) publishNow(late.link);
      else openMove(late.link, late.day < wallNow().slice(0, 10) ? wallNow().slice(0, 10) : late.day, "");
    }
    if (hit("[data-clear]")) setTimeout(count);
  }, true);

  // --- what is selected ---
  const count = () => {
    const number = document.querySelectorAll(".cal-select:checked").length;
    const text = byId("bulk-count");
    if (text) text.textContent = number === 1 ? "1 post selected" : `${number} posts selected`;
  };
  on("change", (event) => event.target.matches(".cal-select") && count());

  // What somebody else moved meanwhile comes back as 409, with the calendar as it is now.
  on("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status !== 409) return;
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  });
})();
