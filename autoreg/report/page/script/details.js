// ---- a trial in full: its configuration, curve, log's end and files
function miniCurve(sweep, trial) {
  const curve = sweep.curveOf(trial).filter(epoch => epoch.va != null);
  if (!curve.length) return [];
  const values = curve.map(epoch => epoch.va), low = Math.min(...values), high = Math.max(...values), last = curve.at(-1).epoch;
  const at = epoch => `${(216 * (epoch.epoch - 1) / Math.max(1, last - 1) + 2).toFixed(1)},${(53 - 50 * (epoch.va - low) / (high - low || 1)).toFixed(1)}`;
  return [makeSvg("svg", { viewBox: "0 0 220 56", width: 220, role: "img", "aria-label": "validation accuracy by epoch" },
    makeSvg("polyline", { points: curve.map(at).join(" "), fill: "none", stroke: sweep.looks.get(trial.series)?.colour ?? "var(--text)", "stroke-width": 2 })),
  make("p", { className: "soft" }, `validation accuracy, ${percent(low)} to ${percent(high)} %`)];
}
function configOf(sweep, trial) {
  const { first, of, at } = sweep.data.configs, config = { ...first, ...of[at[trial.at]] };
  const plain = value => value?.name === undefined ? JSON.stringify(value)
    : [value.name, ...Object.entries(value.options ?? {}).map(([name, option]) => `${name}=${JSON.stringify(option)}`)].join(" ");
  return Object.entries(config).filter(([, value]) => value !== null).map(([name, value]) => `${name}: ${plain(value)}`).join("\n");
}
function detail(sweep, trial) {
  const list = make("dl"), facts = [["trial", trial.id], ["parameters", trial.parameters?.toLocaleString("en")],
    ["kept epoch", trial.best == null ? null : `${trial.best} of ${trial.epochs}`], ["training", `${fixed(trial.seconds, 1)} s`],
    ["similar units", sweep.score(trial, "similar") == null ? null : `${fixed(sweep.score(trial, "similar"), 2)}, ± ${fixed(sweep.score(trial, "spread") ?? 0, 2)} over units`],
    ["dead units", sweep.score(trial, "dead") == null ? null : `${percent(sweep.score(trial, "dead"))} %`], ["files", `runs/${trial.id}/`]];
  for (const [name, value] of facts) if (value != null) list.append(make("dt", {}, name), make("dd", {}, value));
  const blocks = [list];
  if (trial.error) blocks.push(make("p", { className: "warn" }, trial.error));
  if (trial.log) blocks.push(make("p", { className: "soft" }, "the end of its log"), make("pre", { tabIndex: 0 }, trial.log));
  blocks.push(make("details", {}, make("summary", {}, "configuration"), make("pre", { tabIndex: 0 }, configOf(sweep, trial))),
    make("pre", { tabIndex: 0 }, `autoreg show ${trial.id} --log`));
  return make("div", { className: "detail" }, make("div", {}, ...miniCurve(sweep, trial)), make("div", {}, ...blocks));
}
