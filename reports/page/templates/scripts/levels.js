// What a panel has beside its points: the proved bound, the diagonal, fitted lines, medians, what is open between bounds.

function levels(picture, rows, axes, legend) {
  const { chart, frame, ink } = picture;
  const values = (column) => rows.map((i) => frame.get(column, i)).filter((value) => value !== null);
  const span = (...columns) => {
    const all = columns.flatMap(values);
    return [Math.min(...all), Math.max(...all)];
  };
  const line = (name, x, y, more = {}) => {
    const first = name && !legend.has(name);
    legend.add(name);
    return { ...axes, type: "scatter", mode: "lines", x, y, name, legendgroup: name, showlegend: Boolean(first), hoverinfo: name ? "text" : "skip", line: { color: ink.soft, width: 1.2 }, ...more };
  };
  const found = [];
  const bound = chart.bound && frame.get(chart.bound, rows[0]);
  if (bound > 0) {
    const across = span(chart.x);
    found.push(line("", across, [1, 1], { line: { width: 0 } }),
      line("", across, [bound, bound], { fill: "tonexty", fillcolor: "rgba(110, 119, 129, 0.18)", line: { width: 0 } }),
      line("proved lower bound", across, [bound, bound], { text: `proved lower bound: ${shown(bound)}`, line: { color: ink.ink, width: 1.4 } }));
  }
  if (chart.enough) {
    const near = rows.filter((i) => frame.get(chart.y, i) <= chart.enough).map((i) => frame.get(chart.x, i));
    const last = near.length && Math.min(...near) === span(chart.x)[1];
    const words = `smallest ${frame.title(chart.x)} within ${shown(100 * (chart.enough - 1))} % of the best`;
    if (near.length) found.push(line(words, Array(2).fill(Math.min(...near)), [Math.max(0.5, bound || 0.9), span(chart.high)[1]], {
      text: `${words}: ${last ? "≥ " : ""}${Math.min(...near)}${last ? ", the widest tried" : ""}`, line: { color: ink.soft, dash: "dot", width: 1.4 },
    }));
  }
  if (chart.diagonal) {
    const ends = span(chart.x, chart.y);
    found.push(line("", ends, ends));
  }
  if (chart.slope) found.push(...fits(picture, rows, line));
  if (chart.hollow) found.unshift(...open(picture, rows, line));
  return found;
}

// Straight lines in logarithms, as they were fitted to all rows of a series.
function fits({ chart, frame, present, looks }, rows, line) {
  const mean = (list) => list.reduce((sum, value) => sum + Math.log(value), 0) / list.length;
  return [...grouped(rows, (i) => word(frame.get(chart.series, i)))].filter(([name, part]) => present.has(name) && frame.get(chart.slope, part[0]) !== null).map(([name, part]) => {
    const slope = frame.get(chart.slope, part[0]);
    const all = Array.from({ length: frame.length }, (_, i) => i).filter((i) => word(frame.get(chart.series, i)) === name);
    const [x, y] = [all.map((i) => frame.get(chart.x, i)), all.map((i) => frame.get(chart.y, i))];
    const ends = [Math.min(...x), Math.max(...x)];
    const look = looks.get(name);
    const text = `${name}: slope ${shown(slope)}`;
    return line("", ends, ends.map((n) => Math.exp(mean(y) + slope * (Math.log(n) - mean(x)))), { legendgroup: name, text, hoverinfo: "text", line: { color: look.color, dash: look.dash, width: 1 } });
  });
}

// Grey bars from the best bound of a row to the best network.
function open(picture, rows, line) {
  const { chart, frame } = picture;
  const places = new Map(picture.rowNames.map((name, place) => [name, place]));
  return [...grouped(rows.filter((i) => !picture.isHollow(i)), picture.rowName)].map(([name, part]) =>
    line("", [Math.max(LEAST, ...part.map((i) => frame.get(chart.x, i))), chart.at], Array(2).fill(places.get(name)), { line: { color: picture.ink.line, width: 7 } }));
}

// The median of each series in each row, large, over its single points.
function medians(picture, part, y, look) {
  const { chart, frame } = picture;
  const groups = grouped(part.map((_, k) => k), (k) => picture.rowName(part[k]));
  const sorted = [...groups].map(([name, places]) => [name, places.map((k) => frame.get(chart.x, part[k])).sort((a, b) => a - b), y[places[0]]]);
  const middle = (list) => (list[(list.length - 1) >> 1] + list[list.length >> 1]) / 2;
  return {
    type: "scatter", mode: "markers", x: sorted.map(([, list]) => middle(list)), y: sorted.map(([, , place]) => place),
    marker: { color: look.color, symbol: look.symbol, size: 10, line: { width: 1, color: picture.ink.paper } }, hoverinfo: "text", showlegend: false,
    text: sorted.map(([name, list]) => safe(`${name}: median ${shown(middle(list))} of ${list.length}`)),
  };
}
