"use strict";
// Filters the table of tasks or repositories as one types; without scripts the whole table is there.
const field = document.getElementById("filter");
const rows = Array.from(document.querySelectorAll(".filtered tbody tr"));
const shown = document.getElementById("filtered");
document.getElementById("filtering").hidden = false;
field.addEventListener("input", () => {
  const wanted = field.value.trim().toLowerCase();
  let left = 0;
  for (const row of rows) {
    row.hidden = !row.textContent.toLowerCase().includes(wanted);
    left += row.hidden ? 0 : 1;
  }
  shown.textContent = `${left} of ${rows.length} rows`;
});
