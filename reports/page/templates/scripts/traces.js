// plotly's traces and layout out of a figure's description and those of its rows that are chosen.

const PANELS = 12; // drawn at most; the selection shows others
const LEAST = 1e-9; // where a logarithmic axis puts what is not positive

const label = (column, value) => (column === "gamma" ? `γ = ${value === null ? "chosen" : shown(value)}` : word(value === null ? "" : shown(value)));
const safe = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

function grouped(rows, key) {
  const groups = new Map();
  for (const i of rows) {
    const name = key(i);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(i);
  }
  return groups;
}

class Picture {
  constructor(figure, width, inDark) {
    Object.assign(this, { ...figure, width });
    const { chart, frame } = this;
    const looks = chart.looks.map((look) => ({ ...look, color: inDark[look.color] ?? look.color }));
    this.looks = new Map(chart.names.map((name, k) => [word(name), looks[k]]));
    const keep = Array.from({ length: frame.length }, (_, i) => i).filter((i) => view.keeps(frame, i));
    const key = (names) => (i) => names.map((name) => label(name, frame.get(name, i))).join(", ");
    this.panels = [...grouped(keep, key(chart.panels))];
    this.more = Math.max(0, this.panels.length - PANELS);
    this.panels = this.panels.slice(0, PANELS);
    this.rowName = chart.rows.length ? key(chart.rows) : null;
    const drawn = this.panels.flatMap(([, rows]) => rows);
    this.points = drawn.length;
    this.rowNames = this.rowName ? [...new Set(drawn.map(this.rowName))] : [];
    this.present = new Set(drawn.map((i) => word(frame.get(chart.series, i))));
    this.log = (axis) => chart.log.includes(axis) !== view.scale.has(`${this.name}.${axis}`);
  }
  value(column, axis, i) {
    const value = this.frame.get(column, i);
    return typeof value === "number" && this.log(axis) ? Math.max(value, LEAST) : value;
  }
  // What the point is: every column of its row, and of the cells behind it.
  hover(i) {
    const { chart, frame } = this;
    const main = chart.rows.length ? chart.x : chart.y;
    const lines = [];
    for (const { name, title } of frame.columns) {
      const value = frame.get(name, i);
      if (value === null || value === "" || (name === chart.low && main !== chart.low) || name === chart.high) continue;
      const [low, high] = [frame.get(chart.low, i), frame.get(chart.high, i)];
      const bars = name === main && low !== null && high !== null ? ` (${shown(low)} to ${shown(high)})` : "";
      lines.push(`${title}: ${shown(value)}${bars}`);
    }
    return safe([...lines, ...this.behind.told(i)].join("\n")).replaceAll("\n", "<br>");
  }
  traces() {
    const { chart, frame } = this;
    const found = [];
    const legend = new Set();
    const order = chart.names.map(word).filter((name) => this.present.has(name));
    this.panels.forEach(([, rows], p) => {
      const axes = { xaxis: p ? `x${p + 1}` : "x", yaxis: p ? `y${p + 1}` : "y" };
      const bySeries = grouped(rows, (i) => word(frame.get(chart.series, i)));
      order.forEach((name, k) => {
        const look = this.looks.get(name);
        const split = (i) => chart.lines.map((line) => frame.get(line, i)).join("\n") + this.isHollow(i);
        for (const part of grouped(bySeries.get(name) ?? [], split).values()) {
          const off = view.hidden.has(`${this.name}.${name}`);
          const first = { name: chart.series === "gamma" ? `γ = ${name}` : name, legendgroup: name, showlegend: !legend.has(name), visible: off ? "legendonly" : true };
          legend.add(name);
          const line = this.line(part, look, k, order.length);
          found.push(...this.band(part, look, { ...axes, ...first }), { ...axes, ...first, ...line });
          if (chart.median) found.push({ ...axes, ...first, ...medians(this, part, line.y, look) });
        }
      });
      found.push(...levels(this, rows, axes, legend));
    });
    return found;
  }
  isHollow(i) {
    const { chart, frame } = this;
    return chart.hollow !== null && frame.get(chart.hollow[0], i) === chart.hollow[1];
  }
  line(part, look, k, count) {
    const { chart } = this;
    const rows = chart.share ? [...part].sort((a, b) => this.frame.get(chart.x, a) - this.frame.get(chart.x, b)) : part;
    const x = rows.map((i) => this.value(chart.x, "x", i));
    const places = new Map(this.rowNames.map((name, place) => [name, place]));
    const y = rows.map((i, place) => (chart.share ? (place + 1) / rows.length
      : this.rowName ? places.get(this.rowName(i)) + 0.78 * ((k + 0.5) / count - 0.5) : this.value(chart.y, "y", i)));
    const symbol = look.symbol + (this.isHollow(rows[0]) && !look.symbol.includes("-open") ? "-open" : "");
    const found = {
      type: "scatter", mode: chart.line ? "lines+markers" : "markers", x, y, customdata: rows,
      marker: { color: look.color, symbol, size: this.sizes(rows), line: { width: symbol.includes("-open") ? 1.6 : 0 } },
      line: { color: look.color, dash: look.dash, width: 1.6, shape: chart.line || "linear" },
      text: rows.map((i) => this.hover(i)), hovertemplate: "%{text}<extra></extra>",
    };
    if (chart.low && !chart.band) found[this.rowName ? "error_x" : "error_y"] = this.bars(rows, this.rowName ? x : y);
    if (chart.x_error) found.error_x = this.half(rows, chart.x_error);
    if (chart.y_error) found.error_y = this.half(rows, chart.y_error);
    return found;
  }
  // Of steps only the end is marked, of points that have a median only that.
  sizes(rows) {
    const { chart } = this;
    if (chart.median) return 4;
    return chart.line === "hv" ? rows.map((_, k) => (chart.share || chart.band || k < rows.length - 1 ? 3 : 8)) : 7;
  }
  bars(rows, middle) {
    const reach = (column, way) => rows.map((i, k) => Math.max(0, way * ((this.frame.get(column, i) ?? middle[k]) - middle[k])));
    return { type: "data", symmetric: false, array: reach(this.chart.high, 1), arrayminus: reach(this.chart.low, -1), thickness: 1, width: 2 };
  }
  half(rows, column) {
    return { type: "data", array: rows.map((i) => this.frame.get(column, i) ?? 0), thickness: 0.8, width: 0 };
  }
  band(part, look, common) {
    if (!this.chart.band) return [];
    const x = part.map((i) => this.value(this.chart.x, "x", i));
    const edge = (column, fill) => ({
      ...common, showlegend: false, type: "scatter", mode: "lines", x, y: part.map((i) => this.frame.get(column, i)), fill, hoverinfo: "skip",
      fillcolor: `${look.color}2e`, line: { width: 0, shape: "hv" },
    });
    return [edge(this.chart.low, "none"), edge(this.chart.high, "tonexty")];
  }
  get ink() {
    const style = getComputedStyle(document.documentElement);
    const [ink, soft, line, paper] = ["--ink", "--soft", "--line", "--paper"].map((name) => style.getPropertyValue(name).trim());
    return { ink, soft, line, paper };
  }
}
