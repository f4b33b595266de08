// ---- maps of each series: layer by width, darker (on a dark page lighter) for more
const LAYERS = {
  auc: { name: "AUC", digits: 2, scale: 1 }, similar: { name: "similar units", digits: 1, scale: 1, log: true },
  dead: { name: "% of units that are dead", digits: 0, scale: 100 },
};
function layerPanel(sweep, name, cells, [low, high]) {
  const { digits, log, name: label } = LAYERS[sweep.state.layer], layers = [...new Set(cells.toSorted((a, b) => a.layer_index - b.layer_index).map(cell => cell.layer))];
  const size = value => log ? Math.log(1 + Math.max(0, value)) : value;
  const level = value => (size(value) - size(low)) / (size(high) - size(low) || 1);
  const points = cells.map(cell => ({
    x: cell.width, y: cell.layer, value: cell.value, text: fixed(cell.value, digits), ids: [],
    fill: `color-mix(in oklab, var(--mb) ${Math.round(100 * level(cell.value))}%, var(--ma))`,
    ink: level(cell.value) > .62 ? "var(--back)" : level(cell.value) < .45 ? "var(--text)" : "#14171b",  // ≥ 4.5 : 1
    say: `${cell.layer} at ${sweep.widthName(cell.width)}: ${label} ${fixed(cell.value, digits)}`,
  }));
  const names = sweep.data.widths.map(width => `datum.value == ${width} ? '${sweep.widthName(width)}' : `).join("");
  const x = { field: "x", type: "ordinal", scale: { padding: .04 }, axis: { title: "width factor", labelAngle: 0, domain: false, ticks: false, labelExpr: `${names}datum.label` } };
  const y = { field: "y", type: "ordinal", sort: layers, scale: { padding: .04 }, axis: { title: null, domain: false, ticks: false, labelLimit: 90 } };
  const plain = field => ({ field, type: "nominal", scale: null, legend: null });
  return {
    key: name, title: name, height: Math.max(60, Math.min(420, 26 * layers.length)), points, reach: 60,
    spec: { data: { values: points }, layer: [
      { mark: { type: "rect" }, encoding: { x, y, fill: plain("fill"), description: { field: "say" } } },
      { mark: { type: "text", fontSize: 11, aria: false }, encoding: { x, y, text: { field: "text" }, fill: plain("ink") } },
    ] },
    tell: at => ({ title: `${name}, ${at.y}`, rows: points.filter(point => point.y === at.y).map(point => ({
      colour: point.fill, name: sweep.widthName(point.x), value: point.text, here: point === at,
    })) }),
  };
}
function drawLayers(sweep) {
  const box = $("[data-chart=layers]", sweep.root), { state } = sweep, { scale } = LAYERS[state.layer];
  if (!box) return;
  const cells = rowsOf(sweep.data.layers).filter(cell => cell.definition === state.definition && cell.split === state.split && cell[state.layer] != null)
    .map(cell => ({ ...cell, value: scale * cell[state.layer] })), values = cells.map(cell => cell.value), groups = groupBy(cells, cell => cell.series);
  const range = [Math.min(...values), Math.max(...values)];
  panels(box, sweep.shown.filter(name => groups.has(name)).map(name => layerPanel(sweep, name, groups.get(name), range)));
}
