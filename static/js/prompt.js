"use strict";
// Shows where in the prompt a finding stands: data-select names the field, start and end count code points.
document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-select]");
  const area = button && document.getElementById(button.dataset.select);
  if (!area) return;
  const letters = [...area.value];
  const unitsBefore = (count) => letters.slice(0, count).join("").length;
  area.focus();
  area.setSelectionRange(unitsBefore(Number(button.dataset.start)), unitsBefore(Number(button.dataset.end)));
});
