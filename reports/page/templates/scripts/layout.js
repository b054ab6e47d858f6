// Where the panels of a figure go, and its axes.

const CUT = 22; // letters of a name beside a narrow figure

function layoutOf(picture, width) {
  const { chart, panels, ink } = picture;
  const count = Math.max(1, panels.length);
  const many = picture.rowName ? (width > 900 && count > 1 ? 2 : 1) : width > 900 ? 4 : width > 600 ? 3 : width > 330 ? 2 : 1;
  const columns = Math.min(count, many);
  const lines = Math.ceil(count / columns);
  const each = picture.rowName ? Math.max(90, picture.rowNames.length * Math.min(64, Math.max(20, 9 * picture.present.size))) : count > 1 ? 190 : 330;
  const legendRows = Math.ceil([...picture.present].reduce((sum, name) => sum + 40 + 7 * String(name).length, 0) / width);
  const [top, bottom, gap] = [14 + 22 * legendRows, 44, chart.apart ? 56 : 40];
  const inside = lines * each + (lines - 1) * gap;
  const layout = {
    width, height: inside + top + bottom + 20, margin: { l: 8, r: 12, t: top + 20, b: bottom },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: ink.ink, size: 12, family: "system-ui, sans-serif" },
    hoverlabel: { align: "left", bgcolor: ink.paper, bordercolor: ink.soft, font: { color: ink.ink, size: 12 } },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: ink.soft, activecolor: ink.ink }, hovermode: "closest", dragmode: "zoom", uirevision: [...view.scale].join(), annotations: [], shapes: [],
    legend: { orientation: "h", y: 1 + 24 / inside, yanchor: "bottom", x: 0, itemdoubleclick: false, tracegroupgap: 0 },
  };
  const wide = picture.rowName ? 0.04 : 0.05;
  for (let p = 0; p < count; p += 1) {
    const [row, column] = [Math.floor(p / columns), p % columns];
    const [x, y] = [p ? `xaxis${p + 1}` : "xaxis", p ? `yaxis${p + 1}` : "yaxis"];
    const base = { gridcolor: ink.line, zerolinecolor: ink.line, linecolor: ink.soft, automargin: true };
    const type = (axis) => (picture.log(axis) ? { type: "log", exponentformat: "none", nticks: columns > 1 && width < 600 ? 4 : each < 250 ? 5 : 8 } : { type: "linear", nticks: 6 });
    const low = (lines - 1 - row) * (each + gap);
    const lowest = p + columns >= count;
    layout[x] = {
      ...base, anchor: p ? `y${p + 1}` : "y", domain: [column / columns + (column ? wide : 0), (column + 1) / columns - (column < columns - 1 ? 0.01 : 0)],
      ...(chart.x === "night" ? { type: "date", nticks: 4 } : type("x")), title: lowest ? { text: chart.titles[0], standoff: 6, font: { size: 12 } } : undefined,
    };
    layout[y] = {
      ...base, anchor: p ? `x${p + 1}` : "x", domain: [low / inside, (low + each) / inside],
      ...(picture.rowName ? { type: "linear" } : type("y")), title: column ? undefined : { text: chart.titles[1], standoff: 6, font: { size: 12 } },
    };
    if (p && !chart.apart) layout[x].matches = "x";
    if (p && !(chart.apart && chart.rows.length === 0)) layout[y].matches = "y";
    if (picture.rowName) Object.assign(layout[y], namedRows(picture, width, column));
    if (panels.length && panels[p][0]) layout.annotations.push({
      text: safe(panels[p][0]), xref: p ? `x${p + 1} domain` : "x domain", yref: p ? `y${p + 1} domain` : "y domain",
      x: 0.5, y: 1, yanchor: "bottom", showarrow: false, font: { size: columns > 2 || width < 500 ? 10 : 12 },
    });
    if (chart.at !== null) layout.shapes.push({
      type: "line", xref: p ? `x${p + 1}` : "x", yref: p ? `y${p + 1} domain` : "y domain", x0: chart.at, x1: chart.at, y0: 0, y1: 1,
      line: { color: ink.soft, width: 1 }, layer: "below",
    });
  }
  return layout;
}

function namedRows(picture, width, column) {
  const names = picture.rowNames.map((name) => (width < 600 && name.length > CUT ? `${name.slice(0, CUT - 1)}…` : name));
  return {
    tickvals: names.map((_, k) => k), ticktext: names.map(safe), range: [names.length - 0.5, -0.5], zeroline: false,
    showgrid: false, showticklabels: column === 0, ticks: "",
  };
}
