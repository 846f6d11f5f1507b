// Axes of plots that are drawn by hand. Nothing here touches the page.
import { number } from "./format.js";

// from here on the small values of a linear axis cannot be told apart
const LOG_FROM = 100;
const RAMPS = {
  light: [[36, 87, 197], [150, 62, 178], [214, 75, 22]],
  dark: [[120, 165, 250], [214, 138, 224], [255, 182, 108]],
};

/** Round positions between two numbers, about *most* of them. @param {number} low @param {number} high */
export function ticks(low, high, most = 5) {
  if (!(high > low)) return [low];
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough * 0.999);
  const found = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9; at += 1) found.push(Number((at * step).toPrecision(12)));
  return found;
}

/** A value as a number, or null: text that is none, missing, NaN, infinite. @param {any} value */
export function numeric(value) {
  if (value === null || value === undefined || value === "" || typeof value === "boolean") return null;
  const found = Number(value);
  return Number.isFinite(found) ? found : null;
}

/**
 * @typedef {{kind: "linear"|"log"|"text", low: number, high: number, place: (value: any) => number|null,
 *   back: (share: number) => string, ticks: {at: number, text: string}[]}} Axis
 *   place: where a value is, from 0 to 1; null where it is missing. back: the value at a place, as text
 */

/**
 * The axis of a column: numbers, by their logarithm where they are positive and far apart; else the different texts.
 * @param {any[]} values @param {{most?: number}} [more] @returns {Axis}
 */
export function axisOf(values, { most = 5 } = {}) {
  const there = values.filter((value) => value !== null && value !== undefined && value !== "");
  const numbers = there.map(numeric);
  const finite = numbers.filter((value) => value !== null);
  // metrics may hold "NaN" and "Infinity": places without a point, not texts
  const texts = there.some((value, at) => numbers[at] === null && !["NaN", "Infinity", "-Infinity"].includes(value));
  if (!finite.length || texts) return textAxis(there);
  const low = Math.min(...finite);
  const high = Math.max(...finite);
  return low > 0 && high / low >= LOG_FROM && isSpread(finite) ? logAxis(low, high, most) : linearAxis(low, high, most);
}

/** Whether the middle one of positive numbers is nearer to their geometric mean than to the arithmetic one. */
function isSpread(numbers) {
  const middle = [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
  const mean = numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
  const geometric = Math.exp(numbers.reduce((sum, one) => sum + Math.log(one), 0) / numbers.length);
  return Math.abs(Math.log(middle / geometric)) < Math.abs(Math.log(middle / mean));
}

/** @returns {Axis} */
function linearAxis(low, high, most) {
  if (low === high) [low, high] = [low - (Math.abs(low) * 0.1 || 1), high + (Math.abs(high) * 0.1 || 1)];
  const place = (value) => { const found = numeric(value); return found === null ? null : (found - low) / (high - low); };
  return { kind: "linear", low, high, place, back: (share) => number(low + share * (high - low), 4), ticks: ticks(low, high, most).map((at) => ({ at: place(at), text: number(at, 4) })) };
}

/** @returns {Axis} */
function logAxis(low, high, most) {
  const [from, to] = [Math.log10(low), Math.log10(high)];
  const place = (value) => { const found = numeric(value); return found === null || found <= 0 ? null : (Math.log10(found) - from) / (to - from); };
  const every = Math.max(1, Math.ceil((to - from) / most));
  const powers = [];
  for (let at = Math.ceil(from - 1e-9); at <= to + 1e-9; at += every) powers.push({ at: (at - from) / (to - from), text: number(10 ** at, 4) });
  return { kind: "log", low, high, place, back: (share) => number(10 ** (from + share * (to - from)), 4), ticks: powers };
}

/** @returns {Axis} */
function textAxis(there) {
  const order = new Intl.Collator("en", { numeric: true });
  const names = [...new Set(there.map(String))].sort(order.compare);
  const at = new Map(names.map((name, index) => [name, names.length === 1 ? 0.5 : index / (names.length - 1)]));
  const every = Math.max(1, Math.ceil(names.length / 12));
  return {
    kind: "text", low: 0, high: names.length - 1, place: (value) => at.get(String(value)) ?? null,
    back: (share) => names[Math.round(share * (names.length - 1))] ?? "",
    ticks: names.filter((_, index) => index % every === 0).map((name) => ({ at: at.get(name), text: name })),
  };
}

/** A colour between the two ends of a scale. @param {number} share 0 to 1 @param {string} theme "light" or "dark" */
export function ramp(share, theme) {
  const [low, middle, high] = RAMPS[theme] ?? RAMPS.light;
  const [from, to, part] = share < 0.5 ? [low, middle, share * 2] : [middle, high, share * 2 - 1];
  const mixed = from.map((one, at) => Math.round(one + (to[at] - one) * Math.max(0, Math.min(1, part))));
  return `rgb(${mixed.join(" ")})`;
}
