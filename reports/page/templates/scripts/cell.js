// Everything known of one cell, or the list of the cells that a point stands for.

const LISTED = 100; // cells of a point

function makeDialog(cells, traces, changed) {
  const dialog = document.getElementById("cell");
  const body = dialog.querySelector(".body");
  const title = dialog.querySelector("h2");
  const place = new Map(Array.from({ length: cells.length }, (_, i) => [cells.get("cell", i), i]));
  const ways = new Map(traces.found.map((trace) => [trace.cell, trace]));
  const name = (i) => [
    cells.get("problem", i), cells.get("method", i), `γ = ${shown(cells.get("gamma", i) ?? cells.get("gamma_chosen", i) ?? "none")}`,
    ...["width", "seed", "data_seed"].filter((one) => cells.get(one, i) !== null).map((one) => `${cells.title(one)} ${cells.get(one, i)}`),
  ].join(", ");
  dialog.addEventListener("close", () => {
    if (!view.cell) return;
    view.cell = "";
    changed();
  });
  dialog.querySelector(".close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

  const show = (i) => {
    title.textContent = name(i);
    const known = element("dl", { class: "environment known" });
    for (const column of cells.columns.filter((one) => !one.hidden)) {
      const value = cells.get(column.name, i);
      if (value !== null && value !== "") known.append(element("dt", {}, column.title), element("dd", { "data-name": column.name }, shown(value)));
    }
    const folder = document.body.dataset.folder;
    const code = (text) => element("pre", { tabindex: "0" }, element("code", {}, text));
    const chart = element("div", { class: "way" });
    const way = ways.get(cells.get("cell", i));
    body.replaceChildren(
      element("p", {}, [cells.get("status", i), cells.get("message", i)].filter(Boolean).join(": ")),
      known, element("h3", {}, "The way of its solver"), chart,
      element("h3", {}, "Compute this cell alone"), code(cells.get("command", i)),
      element("p", { class: "note" }, "All other settings are those of the run. Where it gives several options of the method or the data set apart from these, one cell for each is computed."),
      element("h3", {}, "Prove its bound again, and compute its numbers again from what is stored"), code(`relaxbench verify ${folder}`),
      element("p", { class: "note" }, `The line of cell ${cells.get("cell", i).slice(0, 8)} is its own. test_accuracy_paper, which is optimistic, is in results.csv.`));
    if (way) drawWay(chart, way);
    else chart.append(element("p", { class: "note" }, traces.left_out
      ? `Not in the page, which has room for some: if it has a trace, it is cells/${cells.get("cell", i)}/trace.csv.` : "It has no trace."));
  };
  const list = (found) => {
    title.textContent = `${found.length} cells behind this point`;
    body.replaceChildren(
      element("ul", { class: "cells" }, ...found.slice(0, LISTED).map((i) =>
        element("li", {}, element("a", { href: view.hash({ cell: cells.get("cell", i) }) }, name(i)), ` ${cells.get("status", i)}, ${shown(cells.get("runtime_s", i) ?? "–")} s`))),
      element("p", { class: "note" }, found.length > LISTED ? `The first ${LISTED} are listed.` : ""));
  };
  const open = () => {
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
  };
  return {
    of: (found) => {
      if (found.length === 1) {
        view.cell = cells.get("cell", found[0]);
        changed();
      } else if (found.length) {
        list(found);
        open();
      }
    },
    restore: () => {
      if (place.has(view.cell)) {
        show(place.get(view.cell));
        open();
      } else if (dialog.open) dialog.close();
    },
  };
}

async function drawWay(holder, way) {
  await needPlotly();
  const { ink } = Picture.prototype;
  const line = (name, dash) => ({
    type: "scatter", mode: "lines+markers", x: way.seconds, y: way[name], name: name === "bound" ? "proved bound" : "value", marker: { size: 4 },
    line: { dash, width: 1.5, color: name === "bound" ? ink.ink : "#d55e00", shape: name === "bound" ? "hv" : "linear" },
    hovertemplate: `%{x:.6g} s<br>${name}: %{y:.6g}<extra></extra>`,
  });
  const lines = [line("value", "solid"), line("bound", "dash")].filter((one) => one.y.some((value) => value !== null));
  const axis = { gridcolor: ink.line, zerolinecolor: ink.line, automargin: true };
  await Plotly.newPlot(holder, lines, {
    width: Math.max(240, holder.clientWidth), height: 260, margin: { l: 10, r: 10, t: 30, b: 40 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: ink.ink, size: 12 }, xaxis: { ...axis, title: { text: "seconds" } }, yaxis: axis, showlegend: true, legend: { orientation: "h", y: 1.02, yanchor: "bottom" },
  }, { displayModeBar: false });
  holder.dataset.points = way.seconds.length;
  if (way.rows > way.seconds.length) holder.append(element("p", { class: "note" }, `${way.seconds.length} of ${way.rows} rows of its trace, evenly taken.`));
}
