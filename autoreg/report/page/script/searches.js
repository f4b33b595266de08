// ---- searches: what was tried and how good it was, or the best so far, one search for each setting
function triedBy(trials) {  // what was searched over: the learning rate, or the batch size if that alone differs
  const differs = key => new Set(trials.map(trial => trial[key])).size > 1;
  return differs("rate") || !differs("batch") ? "rate" : "batch";
}
function searchPanel(sweep, name, trials, range) {
  const isBest = sweep.state.search === "best", key = triedBy(sweep.tuning), title = key === "rate" ? "learning rate" : "batch size";
  const points = [];
  for (const group of groupBy(trials, trial => trial.group).values()) {
    let best = -Infinity;
    group.forEach((trial, place) => {
      best = Math.max(best, trial.validation ?? -Infinity);
      if (trial.validation == null) return;
      points.push({
        id: trial.id, ids: [trial.id], width: trial.width, line: trial.group, value: trial[key], number: place + 1,
        x: isBest ? place + 1 : trial[key], y: 100 * (isBest ? best : trial.validation), pruned: trial.state === "pruned",
        won: trial.taken, picked: sweep.isPicked([trial.id]),
        say: `${sweep.widthName(trial.width)}, trial ${place + 1}: ${title} ${short(trial[key])}, validation accuracy ${percent(trial.validation)} %`,
      });
    });
  }
  const y = { field: "y", type: "quantitative", scale: { zero: false, nice: true, domain: range.y }, axis: { title: null, tickCount: 4, domain: false, ticks: false } };
  const x = { field: "x", type: "quantitative", scale: isBest ? { domain: [1, range.longest], nice: false } : { type: "log", domain: [range.x[0] / 1.3, range.x[1] * 1.3], nice: false },
    axis: { title: isBest ? "tuning trials so far" : title, grid: false, tickCount: 3, format: isBest ? "d" : "~g", labelFlush: true, labelOverlap: true, labelSeparation: 8 } };
  const color = shades(sweep), layer = isBest
    ? [{ data: { values: points }, mark: { type: "line", interpolate: "step-after", strokeWidth: 1.6, aria: false }, encoding: { x, y, color, detail: { field: "line" } } }]
    : [{ data: { values: points }, mark: { type: "point", filled: true, strokeWidth: 2, opacity: 1 }, encoding: {
      x, y, fill: color, shape: { condition: { test: "datum.pruned", value: "cross" }, value: "circle" },
      size: { condition: [{ test: "datum.picked", value: 190 }, { test: "datum.won", value: 95 }], value: 45 },
      stroke: { condition: [{ test: "datum.picked", value: "var(--text)" }, { test: "datum.won", value: "var(--s1)" }], value: "transparent" },
      description: { field: "say" } } }];
  return {
    key: name, title: name, height: 150, spec: { layer }, points, pick: ids => pick(sweep, ids), tell: at => ({
      title: `${name} at ${sweep.widthName(at.width)}`, note: `${isBest ? `best of ${at.number}` : `trial ${shortId(at.id)}, ${at.number} of its search`}`,
      rows: points.filter(point => point.line === at.line).sort((a, b) => b.y - a.y).map(point => ({
        colour: sweep.shadeOf(point.width), name: `${title} ${short(point.value)}`, value: `${fixed(point.y, 1)} %`, here: point === at,
        more: [point.won ? "taken" : "", point.pruned ? "pruned" : ""].filter(Boolean).join(", "),
      })),
    }),
  };
}
function drawSearches(sweep) {
  const box = $("[data-chart=searches]", sweep.root), { tuning } = sweep;
  if (!box) return;
  const groups = groupBy(tuning, trial => trial.series), key = triedBy(tuning), values = tuning.filter(trial => trial.validation != null).map(trial => 100 * trial.validation);
  const ends = numbers => numbers.reduce(([low, high], number) => [Math.min(low, number), Math.max(high, number)], [Infinity, -Infinity]);
  const range = { x: ends(tuning.map(trial => trial[key])), y: ends(values), longest: Math.max(2, ...[...groupBy(tuning, trial => `${trial.series} ${trial.group}`).values()].map(group => group.length)) };
  if (sweep.state.search === "best") range.y = ends([...groupBy(tuning, trial => trial.group).values()].map(group => 100 * (group[0].validation ?? 0)).concat(range.y[1]));
  panels(box, values.length ? sweep.shown.filter(name => groups.has(name)).map(name => searchPanel(sweep, name, groups.get(name), range)) : [], "small");
}
