// The figures that can be looked into: drawn when they come into view, again when the selection changes.

const AVERAGED = "ok"; // cells behind a point; bounds and networks of cells that ran out of time count where noted
const TIMEOUTS_COUNT = ["interval", "gap", "solver-gap", "ratio", "distribution"];
const MODEBAR = { displaylogo: false, modeBarButtons: [["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]] };

let plotly = null; // the script's text, unpacked and run when the first figure needs it; its hash is in the page's policy
const needPlotly = () => (plotly ??= unpack("plotly").then((text) => document.head.append(element("script", {}, text))));

// Which cells each point stands for.
class Behind {
  constructor(figure, cells) {
    this.pairs = Object.entries(figure.chart.behind).filter(([name, other]) => figure.frame.has(name) && cells.has(other));
    this.frame = figure.frame;
    this.cells = cells;
    const all = Array.from({ length: cells.length }, (_, i) => i);
    const counted = TIMEOUTS_COUNT.includes(figure.name) ? all : all.filter((i) => cells.get("status", i) === AVERAGED);
    this.groups = this.pairs.length ? grouped(counted, (i) => this.pairs.map(([, other]) => word(cells.get(other, i))).join("\n")) : new Map();
  }
  of(i) { return this.groups.get(this.pairs.map(([name]) => word(this.frame.get(name, i))).join("\n")) ?? []; }
  told(i) {
    const found = this.of(i);
    if (!found.length) return [];
    const times = found.map((k) => this.cells.get("runtime_s", k)).filter((time) => time !== null).sort((a, b) => a - b);
    const time = times.length ? `run time: ${shown(times[Math.floor((times.length - 1) / 2)])} s` : "";
    if (found.length > 1) return [`cells: ${found.length}${time ? `, median ${time}` : ""}`];
    const seed = this.cells.get("seed", found[0]);
    return [seed === null ? "" : `seed: ${seed}`, time].filter(Boolean);
  }
}

function makeFigures(figures, cells, inDark, changed, open) {
  const dirty = new Set();
  const near = new Set();
  const draw = async (figure) => {
    await needPlotly();
    dirty.delete(figure);
    figure.behind ??= new Behind(figure, cells);
    const holder = figure.element.querySelector(".chart");
    const width = Math.max(260, figure.element.clientWidth);
    const picture = new Picture(figure, width, inDark());
    figure.element.classList.add("live");
    await Plotly.react(holder, picture.traces(), layoutOf(picture, width), { ...MODEBAR, displayModeBar: width > 600 });
    holder.dataset.points = picture.points;
    remark(figure, picture);
    if (figure.heard) return;
    figure.heard = true;
    holder.on("plotly_click", ({ points }) => {
      const i = points[0].customdata;
      if (i !== undefined) open(figure.behind.of(i));
    });
    holder.on("plotly_legendclick", ({ data, curveNumber }) => {
      toggle(view.hidden, `${figure.name}.${data[curveNumber].legendgroup}`);
      changed();
      return false;
    });
  };
  const remark = (figure, picture) => {
    const whole = Object.entries(DIMENSIONS).filter(([name]) => view.filtered(name) && !figure.frame.has(name)).map(([, title]) => title);
    figure.element.querySelector(".remark").textContent = [
      picture.points ? "" : "Nothing of this figure is chosen.",
      picture.more ? `${PANELS} panels are drawn, ${picture.more} more when fewer are chosen.` : "",
      figure.chart.left_out ? `Of ${figure.frame.length + figure.chart.left_out} rows ${figure.frame.length} are in the page, evenly taken; the CSV has all.` : "",
      whole.length ? `Of all ${whole.join(", ")}: made with the report, so the selection of these does not change its numbers.` : "",
    ].filter(Boolean).join(" ");
    for (const button of figure.element.querySelectorAll("[data-axis]"))
      button.setAttribute("aria-pressed", picture.log(button.dataset.axis));
  };
  const watch = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const figure = figures.find((one) => one.element === target);
      near[isIntersecting ? "add" : "delete"](figure);
      if (isIntersecting && dirty.has(figure)) draw(figure);
    }
  }, { rootMargin: "200px 0px" });
  for (const figure of figures) {
    dirty.add(figure);
    figure.element.querySelector(".axes").append(...[...figure.chart.log].map((axis) => element("button", {
      type: "button", "data-axis": axis, "aria-pressed": false,
      onclick: () => { toggle(view.scale, `${figure.name}.${axis}`); changed(); },
    }, `log ${axis}`)));
    watch.observe(figure.element);
  }
  let width = innerWidth;
  const again = () => { figures.forEach((figure) => dirty.add(figure)); near.forEach(draw); };
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; again(); } });
  return again;
}
