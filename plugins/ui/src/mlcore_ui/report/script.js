// Sort the table by a click on a column; show the curves of the run under the pointer.
for (const table of document.querySelectorAll("table.runs")) {
  const body = table.tBodies[0];
  table.tHead.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    const cell = button.closest("th"), at = cell.cellIndex, down = cell.getAttribute("aria-sort") !== "descending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    cell.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = (row) => row.cells[at].dataset.value ?? row.cells[at].textContent;
    const numeric = (text) => text !== "" && Number.isFinite(Number(text));
    const rows = [...body.rows].sort((a, b) => {
      const x = value(a), y = value(b);
      if (x === "" || y === "") return (x === "") - (y === "");
      const order = numeric(x) && numeric(y) ? Number(x) - Number(y) : x.localeCompare(y);
      return down ? -order : order;
    });
    body.append(...rows);
  });
  body.addEventListener("pointerover", ({ target }) => mark(target.closest("tr")?.dataset.run));
  body.addEventListener("pointerleave", () => mark(null));
}

function mark(run) {
  for (const chart of document.querySelectorAll(".charts svg")) {
    chart.classList.toggle("faded", Boolean(run));
    for (const path of chart.querySelectorAll("path")) path.classList.toggle("kept", path.dataset.run === run);
  }
}
