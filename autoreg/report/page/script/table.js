// ---- the table of trials: sorted, searched, filtered by what is picked; rows are made on demand
const COLUMNS = [
  { key: "id", name: "Trial", text: (sweep, trial) => shortId(trial.id) },
  { key: "series", name: "Series", text: (sweep, trial) => trial.series ?? "" },
  { key: "width", name: "Width", css: "n", text: (sweep, trial) => sweep.widthName(trial.width) },
  { key: "replicate", name: "Repl.", css: "n wide", text: (sweep, trial) => `${trial.replicate}` },
  { key: "rate", name: "Learning rate", css: "n wide", text: (sweep, trial) => short(trial.rate) },
  { key: "batch", name: "Batch", css: "n wide batch", text: (sweep, trial) => `${trial.batch}` },
  { key: "epochs", name: "Epochs", css: "n wide", text: (sweep, trial) => `${trial.epochs}` },
  { key: "train", name: "Train %", css: "n wide", text: (sweep, trial) => percent(trial.train) },
  { key: "validation", name: "Valid. %", css: "n wide", text: (sweep, trial) => percent(trial.validation) },
  { key: "test", name: "Test %", css: "n", text: (sweep, trial) => percent(trial.test) },
  { key: "auc", name: "AUC", css: "n", text: (sweep, trial) => fixed(sweep.score(trial, "auc"), 3) },
  { key: "similar", name: "Similar units", css: "n wide", text: (sweep, trial) => fixed(sweep.score(trial, "similar"), 1) },
  { key: "seconds", name: "Seconds", css: "n wide", text: (sweep, trial) => fixed(trial.seconds, 1) },
  { key: "state", name: "State", css: "wide", text: (sweep, trial) => trial.state },
];
const FINE = new Set(["measured", "tuning", "pruned"]), STEP = 100;
function valueOf(sweep, trial, key) {
  if (key === "auc" || key === "similar") return sweep.score(trial, key);
  return key === "series" ? sweep.place.get(trial.series) ?? Infinity : trial[key];
}
const FRACTIONS = { "1/4": "¼", "1/2": "½", "3/4": "¾" };
function asShown(word) {  // a width as one can type it: 1/2x
  return word.replace(/^([13]\/[24])x?$/, (_, part) => FRACTIONS[part] ?? part).replace(/^(\d+)x$/, "$1×");
}
function matching(sweep) {
  const { picked, kind, words, sort: [key, way] } = sweep.state, sought = words.toLowerCase().split(/\s+/).filter(Boolean).map(asShown);
  const text = trial => trial.text ??= [trial.id, trial.series, sweep.widthName(trial.width), trial.state, trial.rate, trial.error ?? ""].join(" ").toLowerCase();
  const rows = sweep.trials.filter(trial => (picked ? picked.has(trial.id) : !kind || trial.kind === kind) && sought.every(word => text(trial).includes(word)));
  const values = new Map(rows.map(trial => [trial, valueOf(sweep, trial, key)]));
  return rows.sort((a, b) => {
    const [p, q] = [values.get(a), values.get(b)];
    if (p == null || q == null) return (p == null) - (q == null) || a.at - b.at;
    return (p < q ? -way : p > q ? way : 0) || a.at - b.at;
  });
}
function drawTable(sweep, all = false) {
  const table = $(".trials", sweep.root);
  if (!table) return;
  const rows = matching(sweep), shown = all ? rows : rows.slice(0, sweep.state.rows), body = make("tbody");
  for (const trial of shown) {
    const open = sweep.state.open.has(trial.id), row = make("tr", { className: sweep.isPicked([trial.id]) ? "picked" : "" });
    for (const { key, text, css = "" } of COLUMNS) {
      const value = text(sweep, trial), cell = make("td", { className: css });
      cell.append(key === "id" ? make("button", { type: "button", "aria-expanded": `${open}`, "data-open": trial.id }, value) : value);
      if (key === "state" && !FINE.has(value)) cell.classList.add("warn");
      row.append(cell);
    }
    body.append(row);
    if (open) body.append(make("tr", { className: "more" }, make("td", { colSpan: COLUMNS.length }, detail(sweep, trial))));
  }
  $("tbody", table).replaceWith(body);
  $("[data-further]", sweep.root).hidden = shown.length === rows.length;
  $("[data-status]", sweep.root).textContent = `${shown.length.toLocaleString("en")} of ${counted(sweep.trials.length, "trial")}`
    + (shown.length < rows.length ? `; ${rows.length.toLocaleString("en")} match` : "");
  const [key, way] = sweep.state.sort;
  for (const head of $$("thead th", table)) {
    const sorted = head.dataset.sort === key;
    if (sorted) head.setAttribute("aria-sort", way > 0 ? "ascending" : "descending"); else head.removeAttribute("aria-sort");
    $("span", head).textContent = sorted ? (way > 0 ? " ↑" : " ↓") : "";
  }
}
function asCsv(sweep) {
  const quoted = cell => /[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
  const safe = cell => /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;  // no formula to a spreadsheet
  const value = (trial, { key }) => key === "series" ? trial.series : key === "auc" || key === "similar" ? sweep.score(trial, key) : trial[key];
  const lines = [COLUMNS.map(column => column.key), ...matching(sweep).map(trial => COLUMNS.map(column => value(trial, column)))];
  return lines.map(line => line.map(cell => quoted(typeof cell === "string" ? safe(cell) : `${cell ?? ""}`)).join(",")).join("\n");
}
function startTable(sweep) {
  const table = $(".trials", sweep.root), { state } = sweep, again = () => drawTable(sweep);
  if (!table) return;
  if (new Set(sweep.trials.map(trial => trial.batch)).size < 2) table.dataset.batch = "one";
  for (const { key, name, css = "" } of COLUMNS) {
    const button = make("button", { type: "button" }, name, make("span")), head = make("th", { scope: "col", className: css, "data-sort": key }, button);
    button.addEventListener("click", () => { state.sort = [key, state.sort[0] === key ? -state.sort[1] : 1]; again(); });
    $("thead tr", table).append(head);
  }
  const search = $("[data-search]", sweep.root), kind = $("[data-kind]", sweep.root);
  Object.assign(search, { value: state.words }).addEventListener("input", () => { Object.assign(state, { words: search.value, rows: STEP }); again(); });
  Object.assign(kind, { value: state.kind }).addEventListener("change", () => { state.kind = kind.value; again(); });
  $("[data-further]", sweep.root).addEventListener("click", () => { state.rows += STEP; again(); });
  table.addEventListener("click", event => {
    const id = event.target.dataset.open;
    if (!id) return;
    if (!state.open.delete(id)) state.open.add(id);
    again();
    $(`[data-open="${id}"]`, table).focus();
  });
  $("[data-csv]", sweep.root).addEventListener("click", () =>
    make("a", { href: `data:text/csv;charset=utf-8,${encodeURIComponent(asCsv(sweep))}`, download: "trials.csv" }).click());
}
