// ---- while a sweep runs: the page asks its own server for another version, and comes again as the reader left it
const KEPT = "autoreg page";
function restore(all) {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  sessionStorage.removeItem(KEPT);
  if (!kept) return;
  for (const sweep of all) {
    const { off, picked, open, ...rest } = kept.sweeps[sweep.id] ?? {};
    if (off) Object.assign(sweep.state, rest, { off: new Set(off), picked: picked && new Set(picked), open: new Set(open) });
  }
  history.scrollRestoration = "manual";
  addEventListener("load", () => scrollTo(0, kept.scroll));
}
function keep() {
  const kept = sweeps.map(({ id, state }) => [id, { ...state, off: [...state.off], picked: state.picked && [...state.picked], open: [...state.open] }]);
  sessionStorage.setItem(KEPT, JSON.stringify({ scroll: scrollY, sweeps: Object.fromEntries(kept) }));
}
async function look() {
  try {
    const answer = await fetch("version");
    const version = await answer.text();
    if (answer.ok && version !== document.body.dataset.version) { keep(); location.reload(); return; }
  } catch {
    $("#live").textContent = "the server has ended";
  }
  setTimeout(look, 2000);
}
if (document.body.dataset.live !== undefined) look();
