"use strict";
// Tables of the page, and the view of them: what is chosen, sorted, open. The view lives in location.hash.

const DIMENSIONS = { problem: "data sets", method: "methods", gamma: "γ", width: "widths", status: "status" };
const STATE = "#?";

class Frame {
  constructor(columns) {
    this.columns = columns;
    this.byName = new Map(columns.map((column) => [column.name, column]));
    this.length = columns.length ? (columns[0].codes || columns[0].values).length : 0;
  }
  has(name) { return this.byName.has(name); }
  get(name, i) {
    const column = this.byName.get(name);
    if (!column) return null;
    return column.codes ? column.names[column.codes[i]] : column.values[i];
  }
  title(name) { return this.byName.get(name)?.title ?? name; }
}

async function unpack(id) {
  const packed = Uint8Array.from(atob(document.getElementById(id).textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

// What a value is called in a link and among the choices; what is missing has a name too.
const word = (value) => (value === null || value === "" ? "none" : String(value));
const shown = (value) => (typeof value === "number" ? String(Number(value.toPrecision(6))) : String(value ?? ""));

function element(tag, attributes = {}, ...children) {
  const found = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) found.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null) found.setAttribute(name, value === true ? "" : value);
  }
  found.append(...children.filter((child) => child !== null));
  return found;
}

const view = {
  values: {}, // dimension → every value, in order
  off: {}, // dimension → values that are not chosen
  table: {}, // order, find, page, length, columns of the table of all results
  cell: "", // the row that is open
  scale: new Set(), // "figure.x": an axis that is not as the figure has it, logarithmic or linear
  hidden: new Set(), // "figure.series": switched off in its legend
  at: "", // the section that the link leads to
  written: "",

  start(cells) {
    for (const name of Object.keys(DIMENSIONS)) {
      const values = [...new Set(Array.from({ length: cells.length }, (_, i) => cells.get(name, i)))];
      if (typeof values.find((value) => value !== null) === "number") values.sort((a, b) => a - b);
      this.values[name] = values.map(word);
      this.off[name] = new Set();
    }
  },
  filtered(name) { return this.off[name].size > 0; },
  keeps(frame, i) {
    return Object.keys(DIMENSIONS).every((name) =>
      !this.filtered(name) || !frame.has(name) || !this.off[name].has(word(frame.get(name, i))));
  },
  hash(changes = {}) {
    const query = new URLSearchParams();
    for (const name of Object.keys(DIMENSIONS)) {
      const on = this.values[name].filter((value) => !this.off[name].has(value));
      const fewer = on.length < this.off[name].size && on.length > 0;
      if (!this.filtered(name)) continue;
      for (const value of fewer ? on : this.off[name]) query.append(fewer ? name : `not-${name}`, value);
    }
    for (const [name, value] of Object.entries(this.table)) query.append(name, value);
    for (const value of this.scale) query.append("scale", value);
    for (const value of this.hidden) query.append("hide", value);
    for (const name of ["cell", "at"]) {
      const value = name in changes ? changes[name] : this[name];
      if (value) query.append(name, value);
    }
    return STATE + query;
  },
  // With `step` the back button leads to what was before.
  write(step) {
    const hash = this.hash();
    if (hash === location.hash || (hash === STATE && !location.hash)) return;
    this.written = hash;
    if (step) location.hash = hash;
    else history.replaceState(null, "", hash);
  },
  read() {
    const query = new URLSearchParams(location.hash.startsWith(STATE) ? location.hash.slice(2) : "");
    for (const name of Object.keys(DIMENSIONS)) {
      const [on, off] = [query.getAll(name), query.getAll(`not-${name}`)];
      this.off[name] = new Set(this.values[name].filter((value) =>
        on.length ? !on.includes(value) : off.includes(value)));
    }
    this.table = {};
    for (const name of ["sort", "find", "page", "length", "columns", "filter"])
      if (query.has(name)) this.table[name] = query.get(name);
    this.scale = new Set(query.getAll("scale"));
    this.hidden = new Set(query.getAll("hide"));
    this.cell = query.get("cell") ?? "";
    this.at = query.get("at") ?? "";
    this.written = location.hash;
  },
};

const toggle = (set, value) => (set.has(value) ? set.delete(value) : set.add(value));
