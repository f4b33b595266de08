// ---- any other figure: lines, dots or bars of y against x, a colour for each series, width or kind of unit
const axisOf = (sweep, { kind, title }) => kind === "width" ? widthAxis(sweep, false) : {
  field: "x", type: "quantitative", scale: { zero: false, nice: false, reverse: kind === "reverse" },
  axis: { title, grid: false, tickCount: 5 },
};
function looksOf(sweep, panel) {
  return panel.names.map((_, place) => panel.kind === "width" ? { colour: shade(place, panel.names.length), shape: "circle", dash: [1, 0] } : lookOf(place));
}
function figurePanel(sweep, panel, place) {
  const looks = looksOf(sweep, panel), isBar = panel.mark === "bar", { log } = panel.y;
  const points = rowsOf(panel.rows).filter(point => point.y != null && (!log || point.y > 0));
  for (const point of points) {
    Object.assign(point, { name: panel.names[point.line], ids: [], hit: point.y });
    point.say = `${point.name}, ${panel.x.kind === "width" ? sweep.widthName(point.x) : short(point.x)}: ${short(point.y)}`;
  }
  const scale = key => ({ field: "line", type: "nominal", legend: null, scale: { domain: looks.map((_, i) => i), range: looks.map(look => look[key]) } });
  const y = { field: "y", type: "quantitative", scale: log ? { type: "log", nice: false } : { zero: isBar, nice: true }, stack: null, axis: { title: null, domain: false, ticks: false, tickCount: 5, ...(log ? { format: "~g" } : {}) } };
  const x = isBar ? { field: "x", type: "ordinal", axis: { title: panel.x.title, grid: false, labelAngle: 0, labelExpr: `${sweep.data.widths.map(width => `datum.value == ${width} ? '${sweep.widthName(width)}' : `).join("")}datum.label` } } : axisOf(sweep, panel.x);
  const layer = [], color = scale("colour"), bars = points.filter(point => point.high > point.low && (!log || point.low > 0));
  if (isBar) {
    layer.push({ data: { values: points }, mark: { type: "bar" }, encoding: { x, y: { ...y, stack: "zero" }, color, description: { field: "say" } } });
  } else {
    const paper = rowsOf(panel.paper).filter(point => !log || point.y > 0);
    if (paper.length) layer.push({ data: { values: paper }, mark: { type: "line", strokeDash: [4, 3], strokeWidth: 1.3, opacity: .75, aria: false }, encoding: { x, y, color } });
    if (bars.length) layer.push({ data: { values: bars }, mark: { type: "rule", aria: false }, encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, color } });
    layer.push({ data: { values: points }, mark: { type: "line", strokeWidth: 1.8, aria: false }, encoding: { x, y, color, ...(looks.length > 6 ? { strokeDash: scale("dash") } : {}) } });
    if (points.length < 600) layer.push({ data: { values: points }, mark: { type: "point", filled: true, size: 34, opacity: 1 }, encoding: { x, y, color, shape: scale("shape"), description: { field: "say" } } });
  }
  return {
    key: `${place}`, title: panel.title, note: [panel.y.title, panel.bars, panel.paper.x.length ? "dashed: the paper’s" : ""].filter(Boolean).join("; "), height: 220, spec: { layer },
    points: isBar ? stacked(points) : points, reach: isBar ? 200 : REACH, tell: at => ({
      title: panel.x.kind === "width" ? sweep.widthName(at.x) : `${panel.x.title}: ${short(at.x)}`,
      rows: points.filter(point => point.x === at.x).sort((a, b) => b.hit - a.hit).map(point => ({
        colour: looks[point.line].colour, name: point.name, value: short(point.hit), here: point.line === at.line,
        more: point.high > point.low ? `± ${short(point.high - point.hit)}` : "",
      })),
    }),
  };
}
function stacked(points) {  // the middle of each part of a bar; Vega stacks the first on top
  return [...groupBy(points, point => point.x).values()].flatMap(group => {
    let below = 0;
    return group.toSorted((a, b) => b.line - a.line).map(point => ({ ...point, y: (below += point.y) - point.y / 2 }));
  });
}
function drawFigures(sweep) {
  for (const box of $$("[data-chart=figure]", sweep.root)) {
    const figure = sweep.data.figures.find(each => each.name === box.dataset.figure);
    const kinds = groupBy(figure.panels, panel => JSON.stringify([panel.kind, panel.names])), legends = [...kinds.values()].map(([panel]) => {
      const looks = looksOf(sweep, panel), keys = panel.names.flatMap((name, place) => [symbol(looks[place]), make("span", {}, name)]);
      return make("div", { className: "tools legend" }, make("span", { className: "group" }, ...keys));
    });
    for (const old of $$(".legend", box.parentElement)) old.remove();
    box.before(...legends);
    panels(box, figure.panels.map((panel, place) => figurePanel(sweep, panel, place)));
  }
}
