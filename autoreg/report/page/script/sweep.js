// ---- a sweep: its rows, what the reader has switched, and how its series and widths look
const SHAPES = ["circle", "square", "triangle-up", "diamond", "triangle-down", "cross"];
const PATHS = {
  circle: "M8 3a5 5 0 1 0 .01 0z", square: "M3.5 3.5h9v9h-9z", "triangle-up": "M8 2.5l6 10.5h-12z",
  diamond: "M8 1.5l5 6.5-5 6.5-5-6.5z", "triangle-down": "M8 13.5l6-10.5h-12z",
  cross: "M6 2h4v4h4v4h-4v4h-4v-4h-4v-4h4z",
};
// A colour that comes again has another shape and a dashed line.
const lookOf = place => {
  const again = Math.floor(place / 6);
  return {
    colour: `var(--s${place % 6})`, shape: SHAPES[(place + again) % 6],
    dash: again ? [5, 2, ...Array(again - 1).fill([1, 2]).flat()] : [1, 0],
  };
};
const shade = (place, count) =>
  `color-mix(in oklab, var(--wa) ${100 - 100 * place / Math.max(1, count - 1)}%, var(--wb))`;
const symbol = look => makeSvg("svg", { width: 16, height: 16, "aria-hidden": "true" },
  makeSvg("path", { d: PATHS[look.shape], fill: look.colour }));
// Dots of each replicate are shown where there are no more of one setting and width.
const MOST_DOTS = 10;

const cellsOf = column => Array.isArray(column) ? column : column.at.map(place => place == null ? null : column.of[place]);
function rowsOf(columns) {
  const cells = Object.entries(columns).map(([name, column]) => [name, cellsOf(column)]);
  return Array.from({ length: cells[0]?.[1].length ?? 0 },
    (_, row) => Object.fromEntries(cells.map(([name, values]) => [name, values[row]])));
}

class Sweep {
  constructor(article) {
    this.root = article;
    this.id = article.dataset.sweep;
    this.data = JSON.parse(document.getElementById(`data-${this.id}`).textContent);
    const { series, widths, widthNames } = this.data, logs = cellsOf(this.data.logs.log);
    this.place = new Map(series.map((name, place) => [name, place]));
    this.looks = new Map(series.map((name, place) => [name, lookOf(place)]));
    this.widthName = width => widthNames[widths.indexOf(width)] ?? `${short(width)}×`;
    this.shadeOf = width => shade(widths.indexOf(width), widths.length);
    this.trials = rowsOf(this.data.trials);
    this.trials.forEach((trial, place) => Object.assign(trial, { at: place, log: logs[place] }));
    this.finals = this.trials.filter(trial => trial.kind === "final");
    this.tuning = this.trials.filter(trial => trial.kind === "tune");
    this.byId = new Map(this.trials.map(trial => [trial.id, trial]));
    this.epochs = groupBy(rowsOf(this.data.epochs), epoch => epoch.trial);
    this.first = new Map([...this.trials].reverse().map(trial => [trial.id, trial.at]));
    const alike = groupBy(this.finals, trial => `${trial.series} ${trial.width}`);
    this.many = Math.max(0, ...[...alike.values()].map(group => group.length)) > MOST_DOTS;
    this.replicates = Math.max(0, ...[...alike.values()].map(group => group.length));
    this.state = {
      definition: this.data.definition, split: Object.keys(this.data.scores[this.data.definition] ?? {}).at(0),
      accuracy: "test", x: "log", y: "log", paper: "on", dots: "mean", curve: "va", of: "final", search: "rate",
      layer: "auc", off: new Set(), picked: null, kind: "final", words: "", sort: ["series", 1], rows: 100,
      open: new Set(),
    };
  }
  curveOf(trial) { return this.epochs.get(this.first.get(trial.id)) ?? []; }
  isOn(name) { return !this.state.off.has(name); }
  get shown() { return this.data.series.filter(name => this.isOn(name)); }
  score(trial, column) {
    const scores = this.data.scores[this.state.definition]?.[this.state.split];
    return trial.kind === "final" ? scores?.[column][trial.at] ?? null : null;
  }
  isPicked(ids) { return this.state.picked !== null && ids.some(id => this.state.picked.has(id)); }
}
