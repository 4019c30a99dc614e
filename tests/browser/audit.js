// What a screen reader or a keyboard would stumble over on this page, as a list of sentences.
() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const isShown = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest("[aria-hidden=true], [inert]");
  const show = (element) => element.outerHTML.replace(/\s+/g, " ").slice(0, 110);
  const textOf = (element) => [element.textContent, ...[...element.querySelectorAll("img")].map((image) => image.alt)].join("").trim();
  const named = (ids) => (ids || "").split(/\s+/).filter(Boolean).map((id) => document.getElementById(id)).filter(Boolean);
  const nameOf = (element) =>
    element.getAttribute("aria-label")
    || named(element.getAttribute("aria-labelledby")).map(textOf).join(" ")
    || [...(element.labels || [])].map(textOf).join(" ")
    || (element.matches("a, button, summary") && textOf(element))
    || (element.matches("input[type=submit], input[type=button]") && element.value)
    || element.getAttribute("title") || "";
  const faults = [];
  const fault = (what, elements) => elements.forEach((element) => faults.push(`${what}: ${show(element)}`));

  fault("no name", all("input:not([type=hidden]), select, textarea, button, a[href], summary").filter(isShown).filter((element) => !nameOf(element).trim()));
  fault("dialog without a name", all("dialog, [role=dialog]").filter((dialog) => !dialog.matches("[aria-label], [aria-labelledby]")));
  fault("picture without alt", all("img:not([alt])"));
  fault("positive tabindex", all("[tabindex]").filter((element) => element.tabIndex > 0));
  fault("control inside a control", all("a[href] :is(a[href], button, input, select, textarea), button :is(a[href], button, input, select)"));
  fault("table without column headings", all("table").filter((table) => !table.querySelector("th")));
  fault("heading without words", all("h1, h2, h3, h4, th").filter(isShown).filter((heading) => !textOf(heading)));
  fault("error that no field names", all("[aria-invalid=true]").filter((field) => !named(field.getAttribute("aria-describedby")).length));
  for (const attribute of ["aria-labelledby", "aria-describedby", "aria-controls", "for"]) {
    const leadsNowhere = (element) => element.getAttribute(attribute).split(/\s+/).some((id) => !document.getElementById(id));
    fault(`${attribute} leads nowhere`, all(`[${attribute}]`).filter(leadsNowhere));
  }
  const ids = all("[id]").filter((element) => !element.closest("template, svg")).map((element) => element.id);
  [...new Set(ids.filter((id, place) => ids.indexOf(id) !== place))].forEach((id) => faults.push(`id twice: ${id}`));

  const levels = all("h1, h2, h3, h4, h5, h6").filter((heading) => heading.checkVisibility() && !heading.closest("dialog")).map((heading) => Number(heading.tagName[1]));
  if (levels.filter((level) => level === 1).length !== 1 || levels[0] !== 1) faults.push(`headings do not begin with the one h1: ${levels}`);
  if (levels.some((level, place) => level > (levels[place - 1] ?? 1) + 1)) faults.push(`headings skip a level: ${levels}`);
  if (all("main").length !== 1) faults.push(`${all("main").length} main landmarks`);
  const navs = all("nav").filter(isShown);
  if (navs.length > 1) fault("one of several navs without a name", navs.filter((nav) => !nameOf(nav).trim()));
  if (!document.documentElement.lang) faults.push("no language");
  if (!document.title.trim()) faults.push("no title");
  if (!all("#toasts").every((toasts) => toasts.matches("[aria-live]"))) faults.push("toasts are not spoken");
  return faults;
}
