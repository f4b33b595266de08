// ---- scores against width: a dot for each network, or mean and interval where there are many; lines join the means
const SCORES = {
  test: {
    title: "Test accuracy", note: "% of the test examples that get their true label", scale: 100, digits: 1,
    unit: " %", paper: "test_accuracy", read: (sweep, trial) => trial.test,
  },
  train: {
    title: "Training accuracy", note: "% of the training examples that get their label", scale: 100, digits: 1,
    unit: " %", paper: "train_accuracy", read: (sweep, trial) => trial.train,
  },
  auc: {
    title: "Removable units", label: "AUC", note: "share of labels that survive dropping units (AUC); 1: no unit matters",
    scale: 1, digits: 3, unit: "", paper: "auc", read: (sweep, trial) => sweep.score(trial, "auc"),
  },
  similar: {
    title: "Repeated units", label: "similar units", note: "similar units of a unit; more: more repeated", scale: 1,
    digits: 1, unit: "", paper: "similar_units", read: (sweep, trial) => sweep.score(trial, "similar"),
  },
};
const ENDED_WELL = new Set(["measured", "not measured"]);
function countTicks(values) {  // 1, 2, 5, 10 …, or every digit where those are few
  const tens = [.1, 1, 10, 100, 1000, 10000], low = Math.min(...values), high = Math.max(...values);
  const all = digits => tens.flatMap(ten => digits.map(digit => +(digit * ten).toPrecision(1)));
  const few = all([1, 2, 5]);
  return few.filter(tick => tick >= low && tick <= high).length > 2 ? few : all([1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

function widthAxis(sweep, linear) {
  const { widths } = sweep.data, last = widths.at(-1);
  const names = widths.map(width => `datum.value == ${width} ? '${sweep.widthName(width)}' : `).join("");
  return {
    field: "x", type: "quantitative",
    scale: linear ? { domain: [0, last * 1.06], nice: false }
      : { type: "log", base: 2, domain: [widths[0] / 1.3, last * 1.3], nice: false },
    axis: { title: "width factor", values: widths, grid: false, labelOverlap: true, labelExpr: `${names}''` },
  };
}
function aside(sweep, name, width, linear) {  // so that dots of equal values stand side by side
  const step = sweep.place.get(name) - (sweep.data.series.length - 1) / 2;
  const apart = Math.min(1, 6 / sweep.data.series.length);
  return linear ? width + 0.008 * apart * sweep.data.widths.at(-1) * step : width * 2 ** (0.06 * apart * step);
}
function seriesColours(sweep, names) {
  const looks = names.map(name => sweep.looks.get(name)), scale = key => ({
    field: "series", type: "nominal", legend: null, scale: { domain: names, range: looks.map(look => look[key]) },
  });
  return { colour: scale("colour"), shape: scale("shape"), dash: scale("dash") };
}
function groupsOf(sweep, dots) {
  const groups = [...groupBy(dots, dot => JSON.stringify([dot.series, dot.width])).values()];
  return groups.map(group => {
    const values = group.map(dot => dot.value), middle = mean(values), count = values.length;
    const spread = count > 1 ? Math.sqrt(mean(values.map(value => (value - middle) ** 2)) * count / (count - 1)) : 0;
    const half = sweep.data.quantiles[count] * spread / Math.sqrt(count);
    return {
      series: group[0].series, width: group[0].width, x: group[0].x, y: middle, low: middle - half, high: middle + half,
      count, least: Math.min(...values), most: Math.max(...values), ids: group.map(dot => dot.id),
      hollow: group.every(dot => dot.hollow),
    };
  }).sort((a, b) => a.width - b.width);
}
function widthPanel(sweep, row, key, letter) {
  const { state, data } = sweep, score = SCORES[key], linear = state.x === "linear", log = key === "similar" && state.y === "log";
  const names = row.series.map(place => data.series[place]).filter(name => sweep.isOn(name)), label = score.label ?? score.title;
  const dots = sweep.finals.filter(trial => names.includes(trial.series) && ENDED_WELL.has(trial.state)).map(trial => ({
    id: trial.id, ids: [trial.id], series: trial.series, width: trial.width, replicate: trial.replicate,
    x: aside(sweep, trial.series, trial.width, linear), value: score.read(sweep, trial), hollow: trial.state !== "measured",
  })).filter(dot => dot.value != null && (!log || dot.value > 0));
  const below = log ? sweep.finals.filter(trial => names.includes(trial.series) && score.read(sweep, trial) <= 0 && score.read(sweep, trial) != null).length : 0;
  for (const dot of dots) dot.y = dot.value *= score.scale;
  const papers = state.paper === "on" && (state.definition === "released" || score.scale === 100)
    ? rowsOf(data.paper).filter(point => point.score === score.paper && point.split === (state.split ?? "test") && names.includes(point.series))
      .map(point => ({ ...point, x: aside(sweep, point.series, point.width, linear), y: point.paper * score.scale })) : [];
  const means = groupsOf(sweep, dots), each = !sweep.many || state.dots === "each", shown = each ? dots : means;
  for (const dot of shown) {
    dot.picked = sweep.isPicked(dot.ids);
    dot.say = `${dot.series} at ${sweep.widthName(dot.width)}: ${label} ${fixed(dot.y, score.digits)}${score.unit}`;
  }
  const ceiling = key === "similar" ? Object.entries(data.ceiling).map(([width, most]) => ({ x: +width, y: most, label: "all units of the layer" })).sort((a, b) => a.x - b.x) : [];
  const { colour, shape, dash } = seriesColours(sweep, names), x = widthAxis(sweep, linear), y = {
    field: "y", type: "quantitative", scale: log ? { type: "log", nice: false } : { zero: key === "similar", nice: true },
    axis: { title: null, domain: false, ticks: false, ...(log ? { values: countTicks([...dots, ...papers, ...ceiling].map(point => point.y)), format: ",~g", labelOverlap: true } : { tickCount: 5 }) },
  };
  const line = { x, y, color: colour, ...(data.series.length > 6 ? { strokeDash: dash } : {}) }, layer = [];
  if (ceiling.length > 1) {
    layer.push({ data: { values: ceiling }, mark: { type: "line", stroke: "var(--soft)", strokeDash: [1, 4], aria: false }, encoding: { x, y } },
      { data: { values: ceiling.slice(-1) }, mark: { type: "text", align: "right", dx: -14, dy: 2, aria: false, fill: "var(--soft)", fontSize: 11.5 },
        encoding: { x, y, text: { field: "label" } } });
  }
  if (papers.length) {
    layer.push({ data: { values: papers }, mark: { type: "line", strokeDash: [4, 3], strokeWidth: 1.3, opacity: .75, aria: false }, encoding: { x, y, color: colour } },
      { data: { values: papers }, mark: { type: "point", size: 18, filled: true, opacity: .75, aria: false }, encoding: { x, y, color: colour } });
  }
  layer.push({ data: { values: means }, mark: { type: "line", strokeWidth: 2, aria: false }, encoding: line });
  const bars = means.filter(group => !each && group.high > group.low && (!log || group.low > 0));
  if (bars.length) layer.push({ data: { values: bars }, mark: { type: "rule", strokeWidth: 1.6, aria: false }, encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, color: colour } });
  layer.push({ data: { values: shown.toSorted((a, b) => a.picked - b.picked) }, mark: { type: "point", filled: true, opacity: 1, strokeWidth: 1.8 }, encoding: {
    x, y, shape, size: { condition: { test: "datum.picked", value: 190 }, value: each && sweep.replicates > 1 ? 34 : 62 },
    stroke: { condition: { test: "datum.picked", value: "var(--text)" }, ...colour },
    fill: { condition: { test: "datum.hollow", value: "var(--back)" }, ...colour }, description: { field: "say" } } });
  return {
    key: `${row.name} ${key}`, title: `(${letter}) ${row.name ? `${row.name}: ` : ""}${score.title}`, note: score.note + (below ? `; ${counted(below, "trial")} at 0 or below: on the linear axis only` : ""), height: 250,
    spec: { layer }, points: shown, pick: ids => pick(sweep, ids), tell: at => ({
      title: `${label} at ${sweep.widthName(at.width)}`,
      note: at.id ? `${at.series}, replicate ${at.replicate}: ${fixed(at.y, score.digits)}${score.unit}, trial ${shortId(at.id)}${at.hollow ? ", not measured" : ""}` : "",
      rows: means.filter(group => group.width === at.width).sort((a, b) => b.y - a.y).map(group => ({
        colour: sweep.looks.get(group.series).colour, name: group.series, value: fixed(group.y, score.digits), here: group.series === at.series,
        more: moreOf(group, score, each, papers.find(point => point.series === group.series && point.width === group.width)),
      })),
    }),
  };
}
function moreOf(group, score, each, paper) {
  const range = group.count < 2 ? "" : each ? `mean of ${group.count}, ${fixed(group.least, score.digits)} to ${fixed(group.most, score.digits)}`
    : `± ${fixed((group.high - group.low) / 2, score.digits)}, ${group.count} replicates`;
  return [range, paper && `paper ${fixed(paper.y, score.digits)}`].filter(Boolean).join("; ");
}
function drawWidth(sweep) {
  const box = $("[data-chart=width]", sweep.root), { state } = sweep;
  if (!box) return;
  const keys = [state.accuracy, ...["auc", "similar"].filter(key => sweep.finals.some(trial => sweep.score(trial, key) != null))];
  const list = sweep.data.rows.flatMap((row, place) => keys.map((key, column) => widthPanel(sweep, row, key, "abcdefghijklmnopqrstuvwxyz"[(place * keys.length + column) % 26])));
  $("[data-what=dots]", sweep.root).textContent = sweep.replicates < 2
    ? "Each dot is a trained network; there is one replicate, so nothing here shows how much chance matters."
    : sweep.many && state.dots === "mean" ? "Dots are means over replicates; error bars: their 95 % interval (Student’s t)."
      : "Each dot is a trained network; lines join the means over replicates.";
  panels(box, list);
}
