"use strict";
// Progressive extras only: every page works without this file. Listeners are delegated, so swapped-in content needs no set-up.
(() => {
  const byId = (id) => document.getElementById(id);
  const on = (type, handler, options) => document.addEventListener(type, handler, options);
  const READ_MS = 7000;

  // Toasts
  const ICONS = { success: "check-circle", error: "alert", warning: "alert", info: "info" };
  const dismiss = (toast) => {
    toast.classList.add("is-leaving");
    setTimeout(() => toast.remove(), 200);
  };
  const expire = (toast) => {
    // Errors stay until they are read.
    if (toast.matches(".toast-error, .toast-warning")) return;
    setTimeout(() => (toast.matches(":hover, :focus-within") ? expire(toast) : dismiss(toast)), READ_MS);
  };
  const showToast = ({ text, level = "info" }) => {
    const toast = byId("toast-template").content.firstElementChild.cloneNode(true);
    const use = toast.querySelector("use");
    toast.classList.add(`toast-${level}`);
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${ICONS[level] || "info"}`));
    toast.querySelector("p").textContent = text;
    byId("toasts").append(toast);
    expire(toast);
  };
  on("toast", (event) => showToast(event.detail.value ? { text: event.detail.value } : event.detail));
  // An answer may say where to go on typing.
  on("focusOn", (event) => byId(event.detail.value)?.focus());
  on("htmx:sendError", () => showToast({ text: "The server cannot be reached. Nothing was lost; try again.", level: "error" }));
  on("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    if (status === 403) showToast({ text: "Your role does not allow this, or the page is too old: reload it.", level: "error" });
    else if (status === 429) showToast({ text: "Too many requests. Wait a moment and try again.", level: "warning" });
    else if (status >= 500) showToast({ text: "Something broke on our side. Try again.", level: "error" });
  });
  // A form with errors comes back as 422 and must still be shown.
  on("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status !== 422) return;
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  });

  // Confirm: data-confirm="Question?" with data-confirm-detail and data-confirm-action, on a form, its button, or any htmx element
  const ask = (source, proceed) => {
    const dialog = byId("confirm");
    const { confirm, confirmDetail = "", confirmAction = "Continue" } = source.dataset;
    byId("confirm-text").textContent = confirm;
    byId("confirm-detail").textContent = confirmDetail;
    byId("confirm-ok").textContent = confirmAction;
    byId("confirm-ok").classList.toggle("btn-danger", source.matches(".btn-danger, .menu-item-danger, [data-danger]"));
    dialog.returnValue = "";
    dialog.addEventListener("close", () => dialog.returnValue === "ok" && proceed(), { once: true });
    dialog.showModal();
  };
  on("htmx:confirm", (event) => {
    const source = event.target.closest("[data-confirm]") || event.detail.triggeringEvent?.submitter?.closest("[data-confirm]");
    if (!source) return;
    event.preventDefault();
    ask(source, () => event.detail.issueRequest(true));
  });
  const isHtmx = (element) => element.matches("[hx-get], [hx-post], [hx-put], [hx-patch], [hx-delete]");
  let confirmed = null;
  on("submit", (event) => {
    const source = event.submitter?.matches("[data-confirm]") ? event.submitter : event.target.closest("[data-confirm]");
    if (!source || confirmed === event.target || isHtmx(event.target) || isHtmx(source)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    ask(source, () => {
      confirmed = event.target;
      event.target.requestSubmit(event.submitter);
      confirmed = null;
    });
  }, true);

  // Unsaved changes: forms with data-guard
  const dirty = new Set();
  on("input", (event) => {
    const form = event.target.closest("form[data-guard]");
    if (form) dirty.add(form);
  });
  // A form that came back with errors, or whose fields the server redrew, holds what is saved nowhere.
  document.querySelectorAll("form[data-guard][data-dirty]").forEach((form) => dirty.add(form));
  on("htmx:afterRequest", (event) => {
    const form = event.target.closest?.("form[data-guard]");
    if (form && event.detail.requestConfig?.verb === "post") dirty.add(form);
  });
  on("submit", (event) => dirty.delete(event.target));
  // The composer keeps what is typed: leaving loses nothing then.
  on("form:kept", (event) => dirty.delete(event.target));
  // The page of a post is where a save ends: the copy that this browser kept meanwhile has done its work.
  try {
    if (/\/posts\/[0-9a-f-]{36}$/.test(location.pathname)) {
      localStorage.removeItem(sessionStorage.getItem("composer:sent"));
      sessionStorage.removeItem("composer:sent");
    }
  } catch { /* no storage, no copy */ }
  // The way back to a form that made something leads to what it made.
  on("submit", (event) => {
    const made = event.target.querySelector("input[name=new_id]");
    if (made) history.replaceState(history.state, "", `?new_id=${made.value}`);
  });
  window.addEventListener("beforeunload", (event) => {
    if ([...dirty].some((form) => form.isConnected)) event.preventDefault();
  });

  const copy = async (button) => {
    const source = button.dataset.copyFrom;
    await navigator.clipboard.writeText(source ? document.querySelector(source).textContent.trim() : button.dataset.copy);
    button.classList.add("is-copied");
    setTimeout(() => button.classList.remove("is-copied"), 1600);
  };
  const setTheme = (button) => {
    document.documentElement.dataset.theme = button.dataset.themeSet;
    button.parentElement.querySelectorAll("[data-theme-set]").forEach((other) =>
      other.setAttribute("aria-pressed", String(other === button)));
  };
  const closeMenus = (except) => document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (!menu.contains(except)) menu.open = false;
  });
  on("click", (event) => {
    const hit = (selector) => event.target.closest(selector);
    closeMenus(event.target);
    if (hit("[data-dismiss]")) dismiss(hit(".toast"));
    if (hit("[data-copy], [data-copy-from]")) copy(hit("[data-copy], [data-copy-from]"));
    if (hit("[data-theme-set]")) setTheme(hit("[data-theme-set]"));
    if (hit("[data-dialog]")) byId(hit("[data-dialog]").dataset.dialog).showModal();
    // A click on the backdrop has the dialog itself as its target.
    if (event.target.matches("dialog[open]:not([data-sticky])")) event.target.close();
  });

  // Keyboard
  const typing = (element) => element.matches("input, textarea, select, [contenteditable]");
  const actions = {
    "/": () => document.querySelector("[data-search], input[type=search]") || byId("palette"),
    n: () => document.querySelector("[data-key=n]"),
    "?": () => byId("shortcuts"),
  };
  on("keydown", (event) => {
    if (event.key === "Escape") {
      const menu = event.target.closest("details.menu[open]");
      closeMenus(null);
      menu?.querySelector("summary").focus();
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
    const target = !document.querySelector("dialog[open]") && actions[event.key]?.();
    if (!target) return;
    event.preventDefault();
    if (target.matches("dialog")) target.showModal();
    else if (target.matches("a")) target.click();
    else target.focus();
  });

  // Drop zones: a file input fills the zone, so the browser does the dropping; we only show it.
  ["dragenter", "dragleave", "drop"].forEach((type) => on(type, (event) => {
    event.target.closest?.(".dropzone")?.classList.toggle("is-over", type === "dragenter");
  }));
  on("change", (event) => {
    const names = event.target.closest(".dropzone")?.querySelector(".dropzone-names");
    if (names) names.textContent = [...event.target.files].map((file) => file.name).join(", ");
  });
  const showProgress = (names, percent) => {
    const bar = names.querySelector("progress") || names.appendChild(Object.assign(document.createElement("progress"), { max: 100 }));
    bar.value = percent;
    bar.setAttribute("aria-label", "Upload");
    const words = names.querySelector("span") || names.appendChild(document.createElement("span"));
    words.textContent = percent < 100 ? ` ${percent} %` : " Checking the files…";
  };
  on("htmx:xhr:progress", ({ target, detail }) => {
    const names = (target.closest?.(".dropzone") || target.querySelector?.(".dropzone"))?.querySelector(".dropzone-names");
    if (names && detail.lengthComputable) showProgress(names, Math.round((100 * detail.loaded) / detail.total));
  });

  // The page shows the workspace's zone; the title adds the reader's own.
  const localTitles = (root) => root.querySelectorAll("time[data-local][datetime]").forEach((time) => {
    const date = new Date(time.getAttribute("datetime"));
    if (!Number.isNaN(date.getTime())) time.title = `${date.toLocaleString([], { dateStyle: "medium", timeStyle: "short" })} for you`;
  });
  // Sign-up and new workspaces begin with the browser's zone.
  document.querySelectorAll("[data-browser-zone]").forEach((field) => {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const takes = !field.options || [...field.options].some((option) => option.value === zone);
    if (takes && ["", "UTC"].includes(field.value)) field.value = zone;
  });
  on("htmx:load", (event) => localTitles(event.detail.elt));
  localTitles(document);
  document.querySelectorAll(".toast").forEach(expire);
})();
