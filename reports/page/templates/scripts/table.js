// The table of all results: sorted with blanks last, filtered, with columns to choose and a link to each cell.

const FEW = 40; // names that a list to choose from has at most

function blanksLast(compare) {
  return (a, b) => {
    const [left, right] = [a === null || a === "", b === null || b === ""];
    return left || right ? left - right : compare(a, b);
  };
}
const collator = new Intl.Collator(undefined, { numeric: true }); // localeCompare takes ten times as long
const up = { number: (a, b) => a - b, name: collator.compare };
for (const [name, compare] of Object.entries(up)) {
  DataTable.ext.type.order[`${name}-asc`] = blanksLast(compare);
  DataTable.ext.type.order[`${name}-desc`] = blanksLast((a, b) => compare(b, a));
}

function makeTable(cells, current, changed) {
  const columns = cells.columns.filter((column) => !column.hidden);
  const few = (column) => column.codes && column.names.length <= FEW;
  const text = DataTable.render.text();
  const link = (value, kind) => (kind !== "display" ? value : element("a",
    { href: view.hash({ cell: value }), "data-cell": value, "aria-label": `Everything known of cell ${value.slice(0, 8)}` }, value.slice(0, 8)));
  let settled = false;
  const table = new DataTable("#results", {
    data: Array.from({ length: cells.length }, (_, i) => columns.map((column) => cells.get(column.name, i))),
    columns: columns.map((column) => ({
      name: column.name,
      type: column.codes ? "name" : "number",
      visible: column.shown,
      searchable: column.shown,
      className: column.name === "message" ? "message" : column.codes ? "text" : "number",
      render: column.name === "cell" ? link : text,
      columnControl: [["orderAsc", "orderDesc", "orderClear", few(column) ? "searchList" : "search"]],
    })),
    order: [],
    deferRender: true,
    pageLength: 25,
    lengthMenu: [10, 25, 100, 500],
    autoWidth: false,
  });
  const first = columns.filter((column) => column.shown).map((column) => column.name);
  table.search.fixed("selection", (row, data, i) => current.mask[i]);
  columns.forEach((column, k) => {
    const button = table.column(k).header().querySelector(".dtcc-button_dropdown");
    button.setAttribute("aria-label", `Sort and filter by ${column.title}`);
  });
  const boxes = columns.map((column, k) => {
    const box = element("input", { type: "checkbox", onchange: () => table.column(k).visible(box.checked) && note() });
    return [box, element("label", {}, box, ` ${column.title}`)];
  });
  document.getElementById("columns").append(...boxes.map(([, label]) => label));
  const visible = () => columns.filter((_, k) => table.column(k).visible()).map((column) => column.name);
  const note = () => {
    if (!settled) return;
    const found = {};
    const sort = table.order().map(([k, way]) => `${columns[k].name}.${way}`).join(",");
    if (sort) found.sort = sort;
    if (table.search()) found.find = table.search();
    if (table.page()) found.page = String(table.page() + 1);
    if (table.page.len() !== 25) found.length = String(table.page.len());
    if (visible().join() !== first.join()) found.columns = visible().join();
    const filters = filtersOf(table);
    if (filters) found.filter = filters;
    if (JSON.stringify(found) === JSON.stringify(view.table)) return;
    const step = found.find === view.table.find;
    view.table = found;
    changed(step);
  };
  table.on("draw", note);
  return () => {
    settled = false;
    const given = view.table;
    const shownColumns = given.columns ? given.columns.split(",") : first;
    columns.forEach((column, k) => {
      const on = shownColumns.includes(column.name);
      boxes[k][0].checked = on;
      if (table.column(k).visible() !== on) table.column(k).visible(on, false);
    });
    if (filtersOf(table) !== (given.filter ?? "")) setFilters(table, given.filter ?? "");
    const order = (given.sort ?? "").split(",").filter(Boolean).map((part) => {
      const [, name, way] = part.match(/(.*)\.(asc|desc)$/) ?? [];
      return [columns.findIndex((column) => column.name === name), way];
    });
    table.order(order.filter(([k]) => k >= 0)).search(given.find ?? "").page.len(Number(given.length ?? 25) || 25).draw();
    if (given.page) table.page(Number(given.page) - 1).draw("page");
    settled = true;
  };
}

// The filters beside the columns' titles, as ColumnControl keeps them.
function filtersOf(table) {
  const state = {};
  table.trigger("stateSaveParams", [table.settings()[0], state]);
  const kept = Object.entries(state.columnControl ?? {}).filter(([, one]) =>
    one.searchList?.length || (one.searchInput && (one.searchInput.value || /mpty/.test(one.searchInput.logic))));
  return kept.length ? JSON.stringify(Object.fromEntries(kept)) : "";
}

function setFilters(table, text) {
  let kept = {};
  try { kept = JSON.parse(text || "{}"); } catch { kept = {}; }
  table.columns().columnControl.searchClear();
  table.trigger("stateLoaded", [table.settings()[0], { columnControl: kept }]);
}
