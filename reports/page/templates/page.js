"use strict";
(async () => {
  const packed = Uint8Array.from(atob(document.getElementById("cells").textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const columns = await new Response(stream).json();
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => document.documentElement.classList.toggle("dark", dark.matches);
  dark.addEventListener("change", follow);
  follow();
  const few = (column) => column.codes && column.names.length <= 40;
  const rows = columns[0].codes.map((_, i) =>
    columns.map((column) => (column.codes ? column.names[column.codes[i]] : column.values[i]))
  );
  const text = DataTable.render.text();
  const table = new DataTable("#results", {
    data: rows,
    columns: columns.map((column) => ({
      type: column.codes ? "string" : "num",
      className: column.name === "message" ? "message" : column.codes ? "text" : "number",
      render: text,
      columnControl: [["orderAsc", "orderDesc", "orderClear", few(column) ? "searchList" : "search"]],
    })),
    order: [],
    deferRender: true,
    pageLength: 25,
    lengthMenu: [10, 25, 100, 500],
    autoWidth: false,
  });
  columns.forEach((column, k) => {
    const button = table.column(k).header().querySelector(".dtcc-button_dropdown");
    button.setAttribute("aria-label", `Sort and filter by ${column.title}`);
  });
  document.getElementById("results").dataset.ready = "yes";
})();
