"use strict";
(() => {
  const line = document.getElementById("live");
  const look = async () => {
    try {
      const { version, progress } = await (await fetch("progress.json", { cache: "no-store" })).json();
      line.textContent = progress;
      const busy = document.activeElement?.matches("input, select, textarea");
      if (String(version) !== line.dataset.version && !busy) location.reload();
    } catch {
      line.textContent = "This page is no longer kept up to date: the server has stopped.";
    }
  };
  setInterval(look, 2000);
})();
