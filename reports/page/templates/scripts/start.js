// The page comes to life.

(async () => {
  const data = JSON.parse(await unpack("data"));
  const cells = new Frame(data.cells);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const wide = matchMedia("(min-width: 1000px)");
  document.documentElement.classList.add("alive");
  const current = { mask: [] };
  view.start(cells);
  let restoring = false;
  const changed = (step = true) => {
    if (restoring) return;
    view.write(step);
    update();
  };
  const figures = data.figures.map((one) => ({ ...one, frame: new Frame(one.columns), element: document.getElementById(`figure-${one.name}`) }));
  const tell = makeSelection(cells, () => changed());
  const dialog = makeDialog(cells, data.traces, () => changed());
  let last = "";
  let settle = () => {};
  const redraw = makeFigures(figures, cells, () => (dark.matches ? data.dark : {}), () => changed(), dialog.of);
  const update = () => {
    const about = JSON.stringify([Object.values(view.off).map((set) => [...set]), [...view.scale], [...view.hidden]]);
    if (about !== last) {
      last = about;
      current.mask = summarise(cells);
      tell();
      filterTables();
      redraw();
      settle();
    }
    dialog.restore();
  };
  view.read();
  current.mask = summarise(cells);
  settle = makeTable(cells, current, changed);
  const restore = () => {
    restoring = true;
    view.read();
    last = null;
    update();
    restoring = false;
    if (view.at) document.getElementById(view.at)?.scrollIntoView();
  };
  addEventListener("hashchange", () => {
    if (location.hash === view.written) return;
    if (location.hash.startsWith(STATE) || !location.hash) restore();
    else {
      view.at = location.hash.slice(1);
      view.write(false);
    }
  });
  const follow = () => {
    document.documentElement.classList.toggle("dark", dark.matches);
    redraw();
  };
  dark.addEventListener("change", follow);
  const fold = () => { document.getElementById("contents").open = wide.matches; document.getElementById("choices").open = wide.matches; };
  wide.addEventListener("change", fold);
  fold();
  follow();
  if (location.hash && !location.hash.startsWith(STATE)) view.at = location.hash.slice(1);
  restore();
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-cell]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    view.cell = link.dataset.cell;
    changed();
  });
  addEventListener("beforeprint", () => document.querySelectorAll("details.table").forEach((one) => { one.open = true; }));
  document.getElementById("results").dataset.ready = "yes";
})();
