// ---- charts: Vega-Lite as SVG, drawn when they come into sight or when nothing else is to do. Colours are CSS
// variables, so that light, dark and print need no second drawing. A chart is {spec, height, title, points, tell, pick};
// a point {x, y, ids, say} is what the pointer, a tap or an arrow key can reach.
const CONFIG = {
  background: null, view: { stroke: null },
  axis: {
    labelColor: "var(--soft)", titleColor: "var(--soft)", gridColor: "var(--grid)", domainColor: "var(--line)",
    tickColor: "var(--line)", labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", tickSize: 4,
    labelPadding: 4,
  },
};
const REACH = 26, TOGETHER = 7;  // pixels: how far a pointer finds a point, and which points it cannot tell apart
const waiting = new Set();
let isIdle = true;

function embed(box, chart, height, zoom) {
  const spec = structuredClone(chart.spec), layers = spec.layer ?? [spec];
  if (zoom) layers[0].params = [{ name: "zoom", select: "interval", bind: "scales" }];
  return vegaEmbed(box, {
    width: "container", height, autosize: { type: "fit-x", contains: "padding" },
    config: { ...CONFIG, font: getComputedStyle(document.body).fontFamily }, description: chart.title, ...spec,
  }, { renderer: "svg", ast: true, actions: false, mode: "vega-lite", tooltip: false, defaultStyle: false });
}
const sight = new IntersectionObserver(entries => {
  for (const { target, isIntersecting } of entries) {
    target.inSight = isIntersecting;
    if (isIntersecting && waiting.has(target)) drawNow(target);
  }
}, { rootMargin: "300px" });
function draw(box, chart) {
  if (!box.chart) { sight.observe(box); listen(box); }
  box.chart = chart;
  box.setAttribute("aria-label", `${chart.title}; arrow keys go through its values`);
  delete document.body.dataset.ready;
  waiting.add(box);
  if (box.inSight) drawNow(box); else later();
}
function drawNow(box) {  // one after the other, and always the latest
  waiting.delete(box);
  return box.drawing = (box.drawing ?? Promise.resolve()).then(async () => {
    if (!box.isConnected) return;
    box.embedded?.finalize();
    box.embedded = await embed(box, box.chart, box.chart.height);
    later();
  });
}
function later() {
  if (!isIdle) return;
  isIdle = false;
  requestIdleCallback(async () => {
    for (const box of waiting) { await drawNow(box); break; }
    isIdle = true;
    if (waiting.size) later(); else document.body.dataset.ready = "";
  }, { timeout: 500 });
}

// ---- what the pointer and the arrow keys find
function nearest(box, clientX, clientY) {
  const { view } = box.embedded ?? {};
  if (!view || !box.chart.points.length) return null;
  const frame = $("svg", box).getBoundingClientRect(), [left, top] = view.origin();
  const px = clientX - frame.left - left, py = clientY - frame.top - top, places = placesIn(box);
  const far = place => Math.hypot(place.px - px, place.py - py);
  const best = places.reduce((found, place) => far(place) < far(found) ? place : found);
  if (far(best) > (box.chart.reach ?? REACH)) return null;
  return { ...best, near: places.filter(place => Math.hypot(place.px - best.px, place.py - best.py) <= TOGETHER) };
}
function placesIn(box) {
  const { view } = box.embedded, x = view.scale("x"), y = view.scale("y");
  const middle = scale => scale.bandwidth ? scale.bandwidth() / 2 : 0;
  return box.chart.points
    .map(point => ({ point, px: x(point.x) + middle(x), py: y(point.y) + middle(y) }))
    .filter(place => Number.isFinite(place.px) && Number.isFinite(place.py));
}
function listen(box) {
  Object.assign(box, { tabIndex: 0 }).setAttribute("role", "group");
  const show = event => {
    const found = nearest(box, event.clientX, event.clientY);
    box.style.cursor = found && box.chart.pick ? "pointer" : "";
    if (found) tell(box.chart.tell(found.point), event.clientX, event.clientY); else hush();
  };
  box.addEventListener("pointermove", show);
  box.addEventListener("pointerleave", hush);
  box.addEventListener("blur", hush);
  box.addEventListener("click", event => {
    show(event);
    const found = nearest(box, event.clientX, event.clientY);
    if (found) box.chart.pick?.(found.near.flatMap(place => place.point.ids));
  });
  box.addEventListener("keydown", event => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") return hush();
    if (!box.embedded || !box.chart.points.length || (!step && event.key !== "Enter")) return undefined;
    const places = placesIn(box).sort((a, b) => a.px - b.px || a.py - b.py);
    if (step) box.step = ((box.step ?? (step > 0 ? -1 : 0)) + step + places.length) % places.length;
    const at = places[box.step ?? 0];
    event.preventDefault();
    if (!step) return box.chart.pick?.(at.point.ids);
    const frame = $("svg", box).getBoundingClientRect(), [left, top] = box.embedded.view.origin();
    tell(box.chart.tell(at.point), frame.left + left + at.px, frame.top + top + at.py);
    $("#say").textContent = at.point.say;
    return undefined;
  });
}
const MOST_ROWS = 9;
function tell(found, x, y) {
  const tip = $("#tip"), body = make("table"), here = found.rows.findIndex(row => row.here);
  const from = Math.max(0, Math.min(here - 4, found.rows.length - MOST_ROWS));
  for (const row of found.rows.slice(from, from + MOST_ROWS)) {
    const dot = make("i"), line = body.insertRow();
    dot.style.background = row.colour;
    line.className = row.here ? "here" : "";
    for (const [cell, css] of [[dot, ""], [row.name, ""], [row.value, "n"], [row.more ?? "", "soft"]]) {
      line.append(make("td", { className: css }, cell));
    }
  }
  const rest = found.rows.length - MOST_ROWS;
  tip.replaceChildren(make("b", {}, found.title), ...(found.note ? [make("span", { className: "soft" }, found.note)] : []),
    body, ...(rest > 0 ? [make("span", { className: "soft" }, `and ${rest} more`)] : []));
  if (!tip.matches(":popover-open")) tip.showPopover();
  const below = y + 18 + tip.offsetHeight <= innerHeight;
  tip.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - tip.offsetWidth - 8))}px`;
  tip.style.top = `${Math.max(4, below ? y + 18 : y - tip.offsetHeight - 12)}px`;
}
function hush() { if ($("#tip").matches(":popover-open")) $("#tip").hidePopover(); }

// ---- panels: figures with a caption, kept when they are drawn again, each with a way to enlarge and zoom it
function panels(box, list, css = "") {
  box.className = `panels ${css}`;
  const before = new Map([...box.children].map(figure => [figure.dataset.panel, figure]));
  const figures = list.map(({ key, title, note, ...chart }) => {
    const figure = before.get(key) ?? newPanel(key);
    $("h3", figure).textContent = title;
    $("figcaption p", figure).textContent = note ?? "";
    $(".enlarge", figure).setAttribute("aria-label", `Enlarge ${title}`);
    $(".chart", figure).style.setProperty("--h", `${chart.height + 20}px`);
    return [figure, { ...chart, title: chart.title ?? title }];
  });
  box.replaceChildren(...figures.map(([figure]) => figure));
  if (!list.length) box.append(make("p", { className: "soft" }, "Nothing here is measured, or no series is on."));
  for (const [figure, chart] of figures) draw($(".chart", figure), chart);
}
function newPanel(key) {
  const chart = make("div", { className: "chart" });
  const button = make("button", { type: "button", className: "enlarge screen", title: "Enlarge and zoom" }, "⤢");
  const figure = make("figure", {}, make("figcaption", {}, make("h3"), make("p", { className: "soft" })), button, chart);
  figure.dataset.panel = key;
  button.addEventListener("click", () => enlarge($("h3", figure).textContent, chart.chart));
  return figure;
}
async function enlarge(title, chart) {
  const dialog = $("#zoom"), box = $(".chart", dialog);
  $("h2", dialog).textContent = title;
  dialog.showModal();
  if (!box.chart) listen(box);
  box.chart = chart;
  box.embedded?.finalize();
  box.embedded = await embed(box, chart, Math.min(640, Math.round(innerHeight * .66)), true);
  dialog.dataset.ready = "";
}
