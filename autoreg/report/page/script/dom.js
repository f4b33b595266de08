"use strict";
// ---- elements, and numbers as people read them
const $ = (selector, from = document) => from.querySelector(selector);
const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
const root = document.documentElement;
function make(tag, properties = {}, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value; else element.setAttribute(name, value);
  }
  element.append(...inside);
  return element;
}
function makeSvg(tag, attributes, ...inside) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...inside);
  return element;
}
const fixed = (value, digits) => value == null ? "" : value.toFixed(digits).replace("-", "−");
const percent = value => value == null ? "" : fixed(100 * value, 1);
const counted = (number, thing) => `${number.toLocaleString("en")} ${thing}${number === 1 ? "" : "s"}`;
const shortId = id => id.slice(0, 8) + (/-r\d+$/.exec(id)?.[0] ?? "");
const short = value => value == null ? "" : String(+value.toPrecision(4)).replace("-", "−");
const mean = values => values.reduce((sum, value) => sum + value, 0) / values.length;
function groupBy(things, keyOf) {
  const groups = new Map();
  for (const thing of things) {
    const key = keyOf(thing);
    if (groups.has(key)) groups.get(key).push(thing); else groups.set(key, [thing]);
  }
  return groups;
}
function quantile(sorted, share) {
  const place = share * (sorted.length - 1), low = Math.floor(place), high = Math.ceil(place);
  return sorted[low] + (sorted[high] - sorted[low]) * (place - low);
}
