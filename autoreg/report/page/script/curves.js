// ---- training curves by group: one line a trial, or the median and the range of each width where there are many
const MOST_LINES = 60;
const CURVES = {
  va: { name: "validation accuracy", scale: 100, digits: 1 }, ta: { name: "training accuracy", scale: 100, digits: 1 },
  vl: { name: "validation loss", scale: 1, digits: 3 }, tl: { name: "training loss", scale: 1, digits: 3 },
};
function linesOf(sweep, trials, curve) {
  return trials.flatMap(trial => sweep.curveOf(trial).filter(epoch => epoch[curve] != null).map(epoch => ({
    id: trial.id, ids: [trial.id], line: `${trial.id} ${trial.series}`, width: trial.width, x: epoch.epoch,
    y: CURVES[curve].scale * epoch[curve], best: trial.best === epoch.epoch, replicate: trial.replicate,
  })));
}
function middles(points) {
  const groups = [...groupBy(points, point => `${point.width} ${point.x}`).values()];
  return groups.map(group => {
    const sorted = group.map(point => point.y).sort((a, b) => a - b);
    return {
      width: group[0].width, line: `${group[0].width}`, x: group[0].x, y: quantile(sorted, .5), low: sorted[0],
      high: sorted.at(-1), count: group.length, ids: group.map(point => point.id),
    };
  });
}
function domainOf(values, isAccuracy) {  // the first epochs of a curve would press all others together
  const sorted = values.toSorted((a, b) => a - b);
  return isAccuracy ? [quantile(sorted, .02), sorted.at(-1)] : [Math.min(0, sorted[0]), quantile(sorted, .98)];
}
function shades(sweep) {
  const { widths } = sweep.data;
  return { field: "width", type: "ordinal", legend: null, scale: { domain: widths, range: widths.map(sweep.shadeOf) } };
}
function curvePanel(sweep, name, trials, longest, domain) {
  const { curve } = sweep.state, { digits } = CURVES[curve], all = linesOf(sweep, trials, curve);
  const isMany = trials.length > MOST_LINES, shown = isMany ? middles(all) : all, picked = all.filter(point => sweep.isPicked([point.id]));
  for (const point of shown) {
    point.dim = picked.length > 0 && !(point.id && sweep.isPicked(point.ids));
    point.say = `${name} at ${sweep.widthName(point.width)}, epoch ${point.x}: ${fixed(point.y, digits)}`;
  }
  const x = { field: "x", type: "quantitative", scale: { domain: [0, longest], nice: false }, axis: { title: "epoch", grid: false, tickCount: 4 } };
  const y = { field: "y", type: "quantitative", scale: { domain, clamp: true, nice: true }, axis: { title: null, tickCount: 4, domain: false, ticks: false } };
  const color = shades(sweep), opacity = { condition: { test: "datum.dim", value: .18 }, value: 1 }, layer = [];
  if (isMany) layer.push({ data: { values: shown }, mark: { type: "area", opacity: .13, clip: true, aria: false }, encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, color, detail: { field: "line" } } });
  layer.push({ data: { values: shown }, mark: { type: "line", strokeWidth: 1.6, clip: true, aria: false }, encoding: { x, y, color, detail: { field: "line" }, opacity } });
  if (isMany && picked.length) layer.push({ data: { values: picked }, mark: { type: "line", strokeWidth: 1.6, clip: true, aria: false }, encoding: { x, y, color, detail: { field: "line" } } });
  const best = isMany ? [] : shown.filter(point => point.best);
  if (best.length) layer.push({ data: { values: best }, mark: { type: "point", filled: true, size: 45, aria: false }, encoding: { x, y, color, opacity } });
  return {
    key: name, title: name, height: 150, spec: { layer }, points: shown,
    pick: ids => pick(sweep, ids), tell: at => ({
      title: `${name}, epoch ${at.x}`, note: at.id ? `trial ${shortId(at.id)}` : "median and range",
      rows: shown.filter(point => point.x === at.x).sort((a, b) => b.y - a.y).map(point => ({
        colour: sweep.shadeOf(point.width), name: sweep.widthName(point.width), value: fixed(point.y, digits), here: point === at,
        more: point.count ? `${fixed(point.low, digits)} to ${fixed(point.high, digits)}, ${point.count} trials` : `replicate ${point.replicate}`,
      })),
    }),
  };
}
function drawCurves(sweep) {
  const box = $("[data-chart=curves]", sweep.root), { state } = sweep;
  if (!box) return;
  const trials = state.of === "tune" ? sweep.tuning : sweep.finals, groups = groupBy(trials, trial => trial.series);
  const values = trials.flatMap(trial => sweep.curveOf(trial).map(epoch => epoch[state.curve])).filter(value => value != null);
  const scale = CURVES[state.curve].scale, domain = domainOf(values.map(value => scale * value), scale === 100);
  const longest = trials.reduce((most, trial) => Math.max(most, trial.epochs), 1), kind = state.of === "tune" ? "tuning" : "final";
  const isMany = [...groups.values()].some(group => group.length > MOST_LINES);
  $("[data-what=curves]", sweep.root).textContent = isMany ? "Line and band: median and range of the trials of a width; a picked trial has its own line."
    : `One line a ${kind} trial, coloured by its width.`;
  panels(box, values.length ? sweep.shown.filter(name => groups.has(name)).map(name => curvePanel(sweep, name, groups.get(name), longest, domain)) : [], "small");
}
