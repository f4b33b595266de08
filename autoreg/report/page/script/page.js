// ---- the page: what the reader switches, light and dark, printing
const CHARTS = [drawWidth, drawCurves, drawSearches, drawLayers, drawPaper];
const REDRAWN = {  // what each switch changes
  definition: [drawWidth, drawLayers, drawTable], split: [drawWidth, drawLayers, drawPaper, drawTable], accuracy: [drawWidth],
  x: [drawWidth], y: [drawWidth], paper: [drawWidth], dots: [drawWidth], curve: [drawCurves], of: [drawCurves],
  search: [drawSearches], layer: [drawLayers],
};
function showSwitches(sweep) {
  const { state } = sweep;
  for (const button of $$("button[data-key]", sweep.root)) button.setAttribute("aria-pressed", `${state[button.dataset.key] === button.dataset.value}`);
  for (const chip of $$(".chip", sweep.root)) chip.setAttribute("aria-pressed", `${sweep.isOn(chip.dataset.series)}`);
  for (const element of $$("[data-definition]", sweep.root)) {
    element.hidden = element.dataset.definition !== state.definition || (element.dataset.split ?? state.split) !== state.split;
  }
}
function startSwitches(sweep) {
  const { state, data } = sweep;
  for (const button of $$("button[data-key]", sweep.root)) {
    button.addEventListener("click", () => {
      const { key, value } = button.dataset;
      state[key] = value;
      if (key === "definition" && !data.scores[value]?.[state.split]) state.split = Object.keys(data.scores[value])[0];
      showSwitches(sweep);
      for (const again of REDRAWN[key]) again(sweep);
    });
  }
  for (const name of data.series) {
    const chip = make("button", { type: "button", className: "chip" }, symbol(sweep.looks.get(name)), name);
    chip.dataset.series = name;
    chip.addEventListener("click", () => {
      if (!state.off.delete(name)) state.off.add(name);
      showSwitches(sweep);
      for (const again of CHARTS) again(sweep);
    });
    $("[data-list=series]", sweep.root)?.append(chip);
  }
  for (const list of $$("[data-list=widths]", sweep.root)) {
    for (const width of data.widths) {
      const key = make("i", { className: "key" });
      key.style.background = sweep.shadeOf(width);
      list.append(key, make("span", {}, sweep.widthName(width)));
    }
  }
}
const sweeps = $$("article.sweep").map(article => new Sweep(article));
restore(sweeps);
for (const sweep of sweeps) {
  startSwitches(sweep);
  showSwitches(sweep);
  startTable(sweep);
  for (const draws of [...CHARTS, drawFigures, drawTable, drawPicked]) draws(sweep);
}
const darkness = matchMedia("(prefers-color-scheme: dark)");
function theme(dark) {
  root.dataset.theme = dark ? "dark" : "light";
  $("#theme").textContent = dark ? "Light" : "Dark";
}
theme(darkness.matches);
darkness.addEventListener("change", event => theme(event.matches));
$("#theme").addEventListener("click", () => theme(root.dataset.theme !== "dark"));
$("#zoom button").addEventListener("click", () => $("#zoom").close());
$("#zoom").addEventListener("close", () => { hush(); delete $("#zoom").dataset.ready; });
addEventListener("beforeprint", () => { for (const sweep of sweeps) drawTable(sweep, true); });
addEventListener("afterprint", () => { for (const sweep of sweeps) drawTable(sweep); });
addEventListener("scroll", hush, { passive: true });
if (!waiting.size) document.body.dataset.ready = "";
