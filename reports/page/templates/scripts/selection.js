// The selection: which data sets, methods, γ, widths and statuses are shown, everywhere on the page.

const SEARCH_FROM = 12; // values of a dimension from which there is a box to find one

function makeSelection(cells, changed) {
  const form = document.getElementById("selection");
  const groups = {};
  for (const [name, title] of Object.entries(DIMENSIONS)) {
    if (view.values[name].length < 2) continue;
    const boxes = view.values[name].map((value) => {
      const box = element("input", { type: "checkbox", value, onchange: () => choose([value], box.checked) });
      return element("label", {}, box, ` ${value}`);
    });
    const choose = (values, on) => {
      for (const value of values) view.off[name][on ? "delete" : "add"](value);
      changed();
    };
    const within = () => boxes.filter((label) => !label.hidden).map((label) => label.firstChild.value);
    const find = view.values[name].length < SEARCH_FROM ? null : element("input", {
      type: "search", placeholder: "find", "aria-label": `Find among ${title}`,
      oninput: () => boxes.forEach((label) => {
        label.hidden = !label.textContent.toLowerCase().includes(find.value.toLowerCase());
      }),
    });
    const tell = element("span", { class: "chosen" });
    const button = (text, on) =>
      element("button", { type: "button", "aria-label": `${text} of ${title}`, onclick: () => choose(within(), on) }, text);
    const fields = element("fieldset", {}, element("legend", { class: "unseen" }, title),
      element("div", { class: "buttons" }, button("all", true), button("none", false)), find,
      element("div", { class: "boxes" }, ...boxes));
    groups[name] = { boxes, tell };
    form.append(element("details", { "data-dimension": name }, element("summary", {}, title, " ", tell), fields));
  }
  document.getElementById("clear").addEventListener("click", () => {
    Object.values(view.off).forEach((set) => set.clear());
    view.hidden.clear();
    changed();
  });
  return () => {
    for (const [name, { boxes, tell }] of Object.entries(groups)) {
      for (const label of boxes) label.firstChild.checked = !view.off[name].has(label.firstChild.value);
      const on = boxes.length - view.off[name].size;
      tell.textContent = view.filtered(name) ? `${on} of ${boxes.length}` : `all ${boxes.length}`;
    }
  };
}

// The line that says what is shown, and the mask of the cells that are.
function summarise(cells) {
  const mask = Array.from({ length: cells.length }, (_, i) => view.keeps(cells, i));
  const statuses = new Map();
  mask.forEach((keep, i) => keep && statuses.set(cells.get("status", i), (statuses.get(cells.get("status", i)) ?? 0) + 1));
  const count = mask.filter(Boolean).length;
  const by = [...statuses].map(([status, number]) => `${number} ${status}`).join(", ");
  const said = Object.entries(DIMENSIONS).filter(([name]) => view.filtered(name)).map(([name, title]) => {
    const on = view.values[name].filter((value) => !view.off[name].has(value));
    return `${title}: ${on.slice(0, 4).join(", ") || "none"}${on.length > 4 ? ` and ${on.length - 4} more` : ""}`;
  });
  const text = `${count} of ${cells.length} cells shown${by ? `: ${by}` : ""}.`;
  document.getElementById("shown").textContent = said.length ? `${text} Chosen: ${said.join("; ")}.` : text;
  document.getElementById("shown-short").textContent = `${count} of ${cells.length} cells`;
  document.getElementById("clear").hidden = !said.length && !view.hidden.size;
  document.body.classList.toggle("some", said.length > 0);
  return mask;
}

// Tables made with the report cannot be computed again: rows and columns of what is not chosen are hidden.
function filterTables() {
  const names = { problem: "problem", "data set": "problem", dataset: "problem", method: "method", "γ": "gamma", gamma: "gamma", width: "width" };
  for (const table of document.querySelectorAll("table.plain")) {
    const heads = [...table.tHead.rows[0].cells];
    const axes = heads.map((head) => names[head.dataset.name ?? head.textContent.trim()]);
    const gone = heads.map((head) => view.off.method.has(head.textContent.trim()));
    const value = (axis, text) => (axis === "gamma" || axis === "width" ? (text ? word(Number(text)) : "none") : text);
    for (const row of table.tBodies[0].rows) {
      row.hidden = axes.some((axis, k) => axis && view.off[axis].has(value(axis, row.cells[k]?.textContent.trim())));
      gone.forEach((hide, k) => { if (row.cells[k]) row.cells[k].hidden = hide; });
    }
    heads.forEach((head, k) => { head.hidden = gone[k]; });
    const open = Object.keys(DIMENSIONS).filter((name) => view.filtered(name) && !axes.includes(name));
    const note = table.closest(".scroll").previousElementSibling?.matches?.(".whole") ? table.closest(".scroll").previousElementSibling : null;
    note?.remove();
    const left = open.filter((name) => name !== "method" || !gone.some(Boolean));
    if (left.length) table.closest(".scroll").before(element("p", { class: "note whole" },
      `Of all ${left.map((name) => DIMENSIONS[name]).join(", ")}: made with the report, so the selection of these does not change its numbers.`));
  }
}
