"use strict";
(() => {
  const columns = JSON.parse(document.getElementById("cells").textContent);
  const rows = columns[0].codes.map((_, i) =>
    columns.map((column) => (column.codes ? column.names[column.codes[i]] : column.values[i]))
  );
  const short = new Set(["problem", "method", "solver", "rounding", "status"]);
  const text = DataTable.render.text();
  new DataTable("#results", {
    data: rows,
    columns: columns.map((column) => ({
      title: column.title,
      type: column.codes ? "string" : "num",
      className: column.codes ? "text" : "number",
      render: text,
      columnControl: [["orderAsc", "orderDesc", "orderClear", column.codes && short.has(column.name) ? "searchList" : "search"]],
    })),
    order: [],
    deferRender: true,
    pageLength: 25,
    lengthMenu: [10, 25, 100, 500],
    autoWidth: false,
  });
  document.querySelectorAll("a[href^='#']").forEach((link) =>
    link.addEventListener("click", () => {
      const details = document.querySelector(link.getAttribute("href") + " details");
      if (details && link.dataset.open) details.open = true;
    })
  );
})();
