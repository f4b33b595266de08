// ---- what is picked in a chart: its rows in the table, its curves in front, a bar that says so
function pick(sweep, ids) {
  const { state } = sweep, same = ids && state.picked?.size === new Set(ids).size && ids.every(id => state.picked.has(id));
  state.picked = ids?.length && !same ? new Set(ids) : null;
  state.open = new Set(state.picked?.size === 1 ? state.picked : []);
  drawPicked(sweep);
  for (const again of [drawWidth, drawCurves, drawSearches, drawTable]) again(sweep);
}
function drawPicked(sweep) {
  const bar = $("[data-picked]", sweep.root), trials = [...sweep.state.picked ?? []].map(id => sweep.byId.get(id)).filter(Boolean);
  bar.hidden = !trials.length;
  if (!trials.length) return;
  const close = make("button", { type: "button" }, "Show all again"), one = trials.length === 1;
  const names = [...new Set(trials.map(trial => trial.series))], widths = [...new Set(trials.map(trial => sweep.widthName(trial.width)))];
  close.addEventListener("click", () => pick(sweep, null));
  bar.replaceChildren(make("span", {}, one ? `${names[0]} at ${widths[0]}: trial ${trials[0].id}` : `${counted(trials.length, "trial")} at ${widths.join(", ")}: ${names.join(", ")}`),
    make("a", { href: `#trials-${sweep.id}` }, one ? "its row" : "their rows"), make("a", { href: `#curves-${sweep.id}` }, one ? "its curve" : "their curves"), close);
}
