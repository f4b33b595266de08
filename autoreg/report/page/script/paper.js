// ---- residuals: ours minus the paper's value, against width
const RESIDUALS = {
  test_accuracy: ["Test accuracy", 100, 1, "percentage points"], train_accuracy: ["Training accuracy", 100, 1, "percentage points"],
  auc: ["Removable units", 1, 3, "AUC"], similar_units: ["Repeated units", 1, 1, "similar units of a unit"],
};
function paperPanel(sweep, score, values) {
  const [title, scale, digits, unit] = RESIDUALS[score], names = sweep.shown;
  const points = values.filter(point => names.includes(point.series)).map(point => ({
    ...point, x: aside(sweep, point.series, point.width, false), y: scale * point.difference, ids: [],
    say: `${point.series} at ${sweep.widthName(point.width)}: ours ${fixed(scale * point.ours, digits)}, paper ${fixed(scale * point.paper, digits)}`,
  }));
  const { colour, shape, dash } = seriesColours(sweep, names), x = widthAxis(sweep, false), y = { field: "y", type: "quantitative", scale: { zero: true, nice: true }, axis: { title: null, domain: false, ticks: false, tickCount: 5, format: "+~g" } };
  return {
    key: score, title, note: `${unit}, ours minus the paper’s`, height: 200, points, spec: { layer: [
      { data: { values: [{ y: 0 }] }, mark: { type: "rule", stroke: "var(--soft)", aria: false }, encoding: { y } },
      { data: { values: points }, mark: { type: "line", strokeWidth: 1.6, aria: false }, encoding: { x, y, color: colour, ...(names.length > 6 ? { strokeDash: dash } : {}) } },
      { data: { values: points }, mark: { type: "point", filled: true, size: 50, opacity: 1 }, encoding: { x, y, color: colour, shape, description: { field: "say" } } },
    ] },
    tell: at => ({ title: `${title} at ${sweep.widthName(at.width)}`, note: `published in figure ${at.figure}`, rows: points.filter(point => point.width === at.width).sort((a, b) => b.y - a.y).map(point => ({
      colour: sweep.looks.get(point.series).colour, name: point.series, value: `${point.y > 0 ? "+" : ""}${fixed(point.y, digits)}`, here: point.series === at.series,
      more: `ours ${fixed(scale * point.ours, digits)}, paper ${fixed(scale * point.paper, digits)}`,
    })) }),
  };
}
function drawPaper(sweep) {
  const box = $("[data-chart=paper]", sweep.root);
  if (!box) return;
  const groups = groupBy(rowsOf(sweep.data.paper).filter(point => point.split === (sweep.state.split ?? "test")), point => point.score);
  panels(box, Object.keys(RESIDUALS).filter(score => groups.has(score)).map(score => paperPanel(sweep, score, groups.get(score))));
}
