
"use strict";
(() => {
  const table = document.getElementById("recorders");
  if (!table) return;
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...body.rows].map((row) => ({ row, text: row.textContent.toLowerCase() }));
  const compare = new Intl.Collator("en", { numeric: true }).compare;
  const input = document.getElementById("filter");
  const shown = document.getElementById("shown");

  const key = (row, column) => {
    const cell = row.cells[column];
    return "key" in cell.dataset ? Number(cell.dataset.key) : cell.textContent;
  };

  const sort = (column) => {
    const head = heads[column];
    const up = head.getAttribute("aria-sort") !== "ascending";
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const keyed = rows.map((one) => ({ one, by: key(one.row, column) }));
    const order = (a, b) => (typeof a.by === "number" ? a.by - b.by : compare(a.by, b.by));
    keyed.sort((a, b) => (up ? order(a, b) : order(b, a)));
    keyed.forEach(({ one }, place) => { rows[place] = one; });
    body.append(...rows.map((one) => one.row));
  };

  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { row, text } of rows) {
      row.hidden = !words.every((word) => text.includes(word));
      count += row.hidden ? 0 : 1;
    }
    shown.textContent = `${count} of ${rows.length}`;
  };

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(column));
    head.append(button);
  });
  input.addEventListener("input", filter);
  // a browser may have kept what was typed before the page was loaded anew
  filter();
  document.getElementById("find").hidden = false;
})();
