"use strict";
// The composer's extras: marks, inserting, keys, keeping what is typed, uploads. Without them the form still works.
(() => {
  const byId = (id) => document.getElementById(id);
  const on = (type, handler, options) => document.addEventListener(type, handler, options);
  const form = byId("composer-form");
  if (!form) return;

  // --- text at the cursor ----------------------------------------------------------------------------------
  const isText = (element) => element?.matches?.(".part > .stack > textarea");
  let lastId = "part-0-text";
  on("focusin", (event) => { if (isText(event.target)) lastId = event.target.id; });
  const field = () => {
    const last = byId(lastId);
    return isText(last) && !last.hidden ? last : form.querySelector(".part > .stack > textarea:not([hidden])");
  };
  const put = (area, start, end, text, from, to) => {
    area.focus();
    area.setSelectionRange(start, end);
    // Keeps the browser's own undo, which setRangeText forgets.
    if (!document.execCommand("insertText", false, text)) {
      area.setRangeText(text, start, end, "end");
      area.dispatchEvent(new InputEvent("input", { bubbles: true }));
    }
    if (from !== undefined) area.setSelectionRange(from, to);
  };
  const insert = (text) => {
    const area = field();
    const at = area.selectionStart;
    put(area, at, area.selectionEnd, text, at + text.length, at + text.length);
  };
  const formattingOn = () => {
    const box = byId("is-marked");
    if (!box || box.checked) return;
    box.checked = true;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const canFormat = () => Boolean(document.querySelector(".tools [data-mark]"));

  const quote = (area) => {
    const start = area.value.lastIndexOf("\n", area.selectionStart - 1) + 1;
    const next = area.value.indexOf("\n", Math.max(area.selectionEnd - 1, start));
    const end = next < 0 ? area.value.length : next;
    const lines = area.value.slice(start, end).split("\n");
    const isQuoted = lines.every((line) => line.startsWith("> "));
    const text = lines.map((line) => (isQuoted ? line.slice(2) : `> ${line}`)).join("\n");
    put(area, start, end, text, start, start + text.length);
  };
  const mark = (sign, area = field()) => {
    if (sign.startsWith(">")) quote(area);
    else {
      const { value, selectionStart, selectionEnd } = area;
      const chosen = value.slice(selectionStart, selectionEnd);
      // A mark holds no white space at its edges.
      const start = selectionStart + (chosen.length - chosen.trimStart().length);
      const end = Math.max(start, selectionEnd - (chosen.length - chosen.trimEnd().length));
      const inner = value.slice(start, end);
      const isMarked = value.slice(start - sign.length, start) === sign && value.slice(end, end + sign.length) === sign;
      if (isMarked && inner) put(area, start - sign.length, end + sign.length, inner, start - sign.length, end - sign.length);
      else put(area, start, end, sign + inner + sign, start + sign.length, end + sign.length);
    }
    formattingOn();
  };

  let linking = null;
  const askLink = () => {
    const area = field();
    linking = { area, start: area.selectionStart, end: area.selectionEnd };
    const chosen = area.value.slice(linking.start, linking.end);
    const isAddress = /^https?:\/\/\S+$/.test(chosen.trim());
    byId("link-label").value = isAddress ? "" : chosen;
    byId("link-url").value = isAddress ? chosen.trim() : "";
    byId("link-dialog").returnValue = "";
    byId("link-dialog").showModal();
    byId(isAddress || !chosen ? "link-label" : "link-url").focus();
  };
  byId("link-dialog")?.addEventListener("close", () => {
    if (byId("link-dialog").returnValue !== "ok" || !linking) return;
    // Brackets would end the mark too early.
    const url = byId("link-url").value.trim().replace(/\(/g, "%28").replace(/\)/g, "%29");
    const label = byId("link-label").value.trim().replace(/[[\]\n]/g, " ") || url;
    put(linking.area, linking.start, linking.end, `[${label}](${url})`);
    formattingOn();
  });

  on("click", (event) => {
    const hit = (selector) => event.target.closest?.(selector);
    const opener = hit(".tools [data-mark], .tools [data-link], .tools [data-dialog]");
    if (opener) {
      const own = opener.closest(".part").querySelector(".stack > textarea:not([hidden])");
      if (own && field().closest(".part") !== own.closest(".part")) lastId = own.id;
    }
    if (hit("[data-mark]")) mark(hit("[data-mark]").dataset.mark);
    if (hit("[data-link]")) askLink();
    if (hit("[data-close]")) hit("dialog").close();
    if (hit("[data-insert]")) {
      hit("dialog")?.close();
      insert(hit("[data-insert]").dataset.insert);
    }
  });
  // The arrows walk through the emoji.
  on("keydown", (event) => {
    const grid = event.target.closest?.(".emoji-grid");
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 0, ArrowUp: 0 };
    if (!grid || !(event.key in steps)) return;
    event.preventDefault();
    const all = [...byId("emoji").querySelectorAll("[data-insert]")];
    const columns = getComputedStyle(grid).gridTemplateColumns.split(" ").length;
    const step = steps[event.key] || (event.key === "ArrowDown" ? columns : -columns);
    all[Math.min(Math.max(all.indexOf(event.target) + step, 0), all.length - 1)]?.focus();
  });

  // --- keys ------------------------------------------------------------------------------------------------
  const press = (id) => () => byId(id)?.click();
  const keys = { s: press("do-save"), Enter: press("do-submit") };
  const marks = { b: () => mark("**"), i: () => mark("_"), k: askLink };
  on("keydown", (event) => {
    if (event.isComposing || document.querySelector("dialog[open]")) return;
    const isCommand = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
    const act = isCommand ? keys[event.key] || (isText(event.target) && canFormat() && marks[event.key.toLowerCase()])
      : event.altKey && !event.ctrlKey && event.code === "KeyN" && press("part-add");
    if (!act) return;
    event.preventDefault();
    act();
  });

  // --- keeping what is typed -------------------------------------------------------------------------------
  const WAIT_MS = 1500;
  const MAX_BYTES = 5 * 1024 * 1024;
  // Browsers carry no more than this over the end of a page.
  const LAST_BYTES = 60 * 1024;
  const { autosave: url, draftOf, workspace, login } = form.dataset;
  const localKey = `composer:${workspace}:${draftOf}`;
  const isNew = Boolean(form.querySelector("input[name=new_id]"));
  const status = byId("autosave");
  let timer = 0, sending = false, isBlocked = false, isLeaving = false, kept = "";
  // As the page was opened there is nothing to keep yet; set once the functions below exist.
  let sent = "";

  const say = (text, isWarning = false, ...buttons) => {
    status.textContent = text;
    status.classList.toggle("is-warning", isWarning);
    buttons.forEach(([label, act]) => {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm", textContent: label });
      button.addEventListener("click", act);
      status.append(button);
    });
  };
  const fields = () => {
    const data = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === "string" && name !== "csrfmiddlewaretoken") data.append(name, value);
    return data;
  };
  const token = () => form.querySelector("input[name=csrfmiddlewaretoken]").value;
  const keepHere = (text) => {
    try {
      localStorage.setItem(localKey, JSON.stringify({ at: Date.now(), isNew, draftOf, text }));
      return true;
    } catch {
      return false;
    }
  };
  const forgetHere = (key = localKey) => {
    try { localStorage.removeItem(key); } catch { /* no storage: nothing to forget */ }
  };
  const freshToken = async () => {
    const answer = await fetch(url, { redirect: "manual", headers: { Accept: "application/json" } });
    if (!answer.ok) return false;
    const { token: fresh } = await answer.json();
    document.querySelectorAll("input[name=csrfmiddlewaretoken]").forEach((input) => { input.value = fresh; });
    document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": fresh }));
    return true;
  };
  const post = (body, keepalive) => fetch(url, {
    method: "POST", body, keepalive, redirect: "manual", headers: { "X-CSRFToken": token(), Accept: "application/json" },
  });
  const bodyOf = (text, isForced) => {
    const body = new URLSearchParams(text);
    body.set("draft_of", draftOf);
    body.set("seen", form.dataset.seen);
    if (isForced) body.set("force", "on");
    return body;
  };
  const offline = (text) => say(keepHere(text)
    ? "You are offline. The text is kept in this browser and saved when you are back."
    : "You are offline, and this browser keeps nothing: do not close the page.", true);
  const loggedOut = (text) => {
    keepHere(text);
    say("You are logged out. The text stays here: log in in another tab, then go on.", true,
      ["Log in", () => window.open(login, "_blank", "noopener")], ["Try again", () => save()]);
  };
  const answered = async (answer, text, { isForced, isRetry }) => {
    if (answer.type === "opaqueredirect" || answer.status === 401) return loggedOut(text);
    if (answer.ok) {
      const { seen, text: words, stale } = await answer.json();
      form.dataset.seen = seen;
      sent = text;
      forgetHere();
      kept = words;
      if (fields().toString() !== text) return null;
      form.dispatchEvent(new CustomEvent("form:kept", { bubbles: true }));
      return say(stale || words, Boolean(stale));
    }
    keepHere(text);
    if (answer.status === 409) {
      isBlocked = true;
      if (byId("offer")) return say("Not kept on the server until you decide about the text above; this browser keeps it.", true);
      const { text: words } = await answer.json();
      return say(words, true, ["Keep this one", () => { isBlocked = false; save({ isForced: true }); }]);
    }
    // Logging in again changed the token that this page was given.
    if (answer.status === 403 && !isRetry && await freshToken()) return save({ isForced, isRetry: true });
    if ([400, 413].includes(answer.status)) return say("Too long to be kept while you type. Save it as a draft.", true);
    return say("Not kept on the server; this browser keeps it. Trying again soon.", true);
  };
  const save = async ({ isForced = false, isRetry = false } = {}) => {
    clearTimeout(timer);
    const text = fields().toString();
    if (sending || isBlocked || (text === sent && !isForced)) return;
    if (text.length > MAX_BYTES) {
      say("Too long to be kept while you type. Save it as a draft.", true);
      return;
    }
    sending = true;
    let answer = null;
    try {
      answer = await post(bodyOf(text, isForced), false);
    } catch {
      offline(text);
    }
    sending = false;
    if (answer) await answered(answer, text, { isForced, isRetry });
    if (answer?.ok && fields().toString() !== text) later();
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(save, WAIT_MS);
  };
  const touched = () => {
    if (isBlocked) keepHere(fields().toString());
    else say(kept ? `${kept} · unsaved changes` : "Unsaved changes");
    later();
  };
  // The page may end here: what was not sent goes along with it, and stays in the browser in any case.
  const leave = () => {
    const text = fields().toString();
    if (text === sent || isLeaving) return;
    keepHere(text);
    if (isBlocked || text.length > LAST_BYTES) return;
    post(bodyOf(text, false), true).then(async (answer) => {
      if (answer.ok) await answered(answer, text, {});
    }).catch(() => {});
  };
  sent = fields().toString();
  form.addEventListener("input", (event) => { if (event.target.name) touched(); });
  form.addEventListener("change", (event) => { if (event.target.name && event.target.type !== "file") later(); });
  on("htmx:afterSettle", () => { if (fields().toString() !== sent) touched(); });
  form.addEventListener("submit", () => {
    isLeaving = true;
    clearTimeout(timer);
    // A submit that is lost on its way loses nothing: the page of the saved post forgets this copy.
    keepHere(fields().toString());
    try { sessionStorage.setItem("composer:sent", localKey); } catch { /* no storage */ }
  });
  window.addEventListener("online", () => save());
  on("visibilitychange", () => { if (document.visibilityState === "hidden") leave(); });
  window.addEventListener("pagehide", leave);
  window.addEventListener("pageshow", (event) => { if (event.persisted) isLeaving = false; });

  // --- what this browser still holds -----------------------------------------------------------------------
  const held = () => {
    const found = [];
    try {
      for (let place = 0; place < localStorage.length; place += 1) {
        const key = localStorage.key(place);
        if (key?.startsWith(`composer:${workspace}:`)) found.push([key, JSON.parse(localStorage.getItem(key))]);
      }
    } catch { return []; }
    return found.filter(([key, value]) => key === localKey || (isNew && value.isNew)).sort((a, b) => b[1].at - a[1].at);
  };
  const offerHeld = () => {
    const [key, value] = held()[0] || [];
    const box = byId("local-offer");
    if (!key || !box || value.text === sent) return;
    box.hidden = false;
    box.querySelector("[data-local-at]").textContent = `You typed it on ${new Date(value.at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })}.`;
    box.querySelector("[data-local-discard]").addEventListener("click", () => { forgetHere(key); box.hidden = true; });
    box.querySelector("[data-local-restore]").addEventListener("click", async () => {
      const body = new URLSearchParams(value.text);
      body.set("draft_of", value.draftOf);
      body.set("force", "on");
      const answer = await post(body, false).catch(() => null);
      if (!answer?.ok) return say("The server cannot be reached. The text stays in this browser.", true);
      forgetHere(key);
      isLeaving = true;
      form.dispatchEvent(new CustomEvent("form:kept", { bubbles: true }));
      window.location.href = `${window.location.pathname}?draft=continue`;
      return null;
    });
  };
  offerHeld();

  // --- files -----------------------------------------------------------------------------------------------
  // Pasted and dropped pictures go through the part's own file field, one load after the other.
  const waiting = new Map();
  const upload = (number, files) => {
    const input = byId(`files-${number}`);
    if (!input || !files.length) return;
    if (input.closest(".dropzone").matches(".htmx-request")) {
      waiting.set(number, [...(waiting.get(number) || []), ...files]);
      return;
    }
    const list = new DataTransfer();
    files.forEach((file) => list.items.add(file));
    input.files = list.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  on("htmx:afterSettle", () => [...waiting].forEach(([number, files]) => {
    waiting.delete(number);
    upload(number, files);
  }));
  const partOf = (element) => element.closest?.(".part")?.id.replace("part-", "");
  const media = (list) => [...list].filter((file) => /^(image|video)\//.test(file.type));
  on("paste", (event) => {
    const files = media(event.clipboardData?.files || []);
    const number = isText(event.target) ? partOf(event.target) : undefined;
    if (number === undefined || !files.length) return;
    event.preventDefault();
    upload(number, files);
  });
  on("dragover", (event) => {
    const part = event.target.closest?.(".part");
    if (!part || event.target.closest(".dropzone") || ![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    part.classList.add("is-over");
  });
  on("dragleave", (event) => event.target.closest?.(".part")?.classList.remove("is-over"));
  on("drop", (event) => {
    const part = event.target.closest?.(".part");
    part?.classList.remove("is-over");
    if (!part || event.target.closest(".dropzone")) return;
    const files = media(event.dataTransfer?.files || []);
    if (!files.length) return;
    event.preventDefault();
    upload(partOf(part), files);
  });
})();
