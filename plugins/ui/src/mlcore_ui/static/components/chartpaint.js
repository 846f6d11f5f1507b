// What stands above the lines of a chart: the curve that is pointed at with its band, and the place.
import { nearest, valueAt } from "../lib/series.js";
import { ink } from "../lib/theme.js";

/**
 * Paint the canvas above a chart. Sizes in device pixels.
 * @param {HTMLCanvasElement} canvas @param {{width: number, height: number, ratio: number, view: any}} place
 */
export function overlay(canvas, { width, height, ratio, view }) {
  const w = Math.round(width);
  const h = Math.round(height);
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.width = `${w / ratio}px`;
    canvas.style.height = `${h / ratio}px`;
  }
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, w, h);
  const { series, hovered, grid } = view.spec();
  const index = hovered ? series.findIndex((one) => one.id === hovered) : -1;
  const one = series[index];
  if (one && series.length > 1) {
    pen.globalAlpha = 0.55;
    pen.fillStyle = ink("--paper");
    pen.fillRect(0, 0, w, h);
    pen.globalAlpha = 1;
  }
  if (one?.band) paintBand(view.plot, pen, one, { x: 0, y: 0, grid });
  if (one && series.length > 1) paintLine(view.plot, pen, view.plot.data[index + 1], { color: one.color, ratio, odd: one.odd });
  if (view.at !== null) paintPlace(view, pen, { index: one ? index : series.length === 1 ? 0 : -1, h, ratio });
}

function paintPlace(view, pen, { index, h, ratio }) {
  const { plot, at } = view;
  const { min, max } = plot.scales.x;
  if (at < min || at > max) return;
  const left = plot.valToPos(at, "x") * ratio;
  pen.strokeStyle = ink("--muted");
  pen.lineWidth = ratio;
  pen.setLineDash([3 * ratio, 3 * ratio]);
  pen.beginPath();
  pen.moveTo(left, 0);
  pen.lineTo(left, h);
  pen.stroke();
  pen.setLineDash([]);
  if (index < 0) return;
  const value = valueAt(plot.data[0], plot.data[index + 1], nearest(plot.data[0], at), view.spec().series[index].odd);
  if (value === null) return;
  pen.beginPath();
  pen.arc(left, plot.valToPos(value, "y") * ratio, 4 * ratio, 0, 2 * Math.PI);
  pen.fillStyle = view.spec().series[index].color;
  pen.fill();
  pen.strokeStyle = ink("--paper");
  pen.lineWidth = 1.5 * ratio;
  pen.stroke();
}

function paintLine(plot, pen, values, { color, ratio, odd }) {
  pen.strokeStyle = color;
  pen.lineWidth = 2.4 * ratio;
  pen.lineJoin = "round";
  pen.beginPath();
  let drawn = false;
  for (let at = 0; at < values.length; at += 1) {
    if (odd && values[at] === null) drawn = false; // a hole
    if (values[at] === null || values[at] === undefined) continue;
    const left = plot.valToPos(plot.data[0][at], "x") * ratio;
    const top = plot.valToPos(values[at], "y") * ratio;
    if (drawn) pen.lineTo(left, top); else pen.moveTo(left, top);
    drawn = true;
  }
  pen.stroke();
}

/**
 * Paint what the values of a curve stand for: from the least to the greatest in each bucket.
 * @param {any} plot @param {CanvasRenderingContext2D} pen @param {any} one a line with a band
 * @param {{x: number, y: number, grid: ArrayLike<number>}} origin of the plot in device pixels, and the chart's grid
 */
export function paintBand(plot, pen, one, { x, y, grid }) {
  const places = one.band.grid ?? grid;
  const ratio = devicePixelRatio;
  const floor = plot.scales.y.min;
  const log = { x: plot.scales.x.distr === 3, y: plot.scales.y.distr === 3 };
  const parts = [[]];
  for (let at = 0; at < places.length; at += 1) {
    if (one.band.min[at] !== null && one.band.max[at] !== null && !(log.x && places[at] <= 0) && !(log.y && one.band.max[at] <= 0)) parts[parts.length - 1].push(at);
    else if (one.band.odd?.has(at)) parts.push([]);
  }
  const left = (at) => x + plot.valToPos(places[at], "x") * ratio;
  const top = (value) => y + plot.valToPos(log.y && value <= 0 ? floor : value, "y") * ratio;
  pen.save();
  pen.beginPath();
  pen.rect(x, y, plot.bbox.width, plot.bbox.height);
  pen.clip();
  pen.fillStyle = one.color;
  pen.globalAlpha = 0.2;
  for (const seen of parts.filter((part) => part.length > 1)) {
    pen.beginPath();
    for (const at of seen) pen.lineTo(left(at), top(one.band.max[at]));
    for (const at of seen.reverse()) pen.lineTo(left(at), top(one.band.min[at]));
    pen.closePath();
    pen.fill();
  }
  pen.restore();
}

const APART_PX = 7;
const SHAPES = {
  NaN: (pen, x, y, r) => { pen.moveTo(x - r, y - r); pen.lineTo(x + r, y + r); pen.moveTo(x - r, y + r); pen.lineTo(x + r, y - r); },
  Inf: (pen, x, y, r) => { pen.moveTo(x - r, y + r); pen.lineTo(x, y - r); pen.lineTo(x + r, y + r); pen.closePath(); },
  "-Inf": (pen, x, y, r) => { pen.moveTo(x - r, y - r); pen.lineTo(x, y + r); pen.lineTo(x + r, y - r); pen.closePath(); },
};

/** Mark points that are not finite: NaN and -Inf at the lower edge, Inf at the upper one. @param {any} plot @param {any} one a line @param {ArrayLike<number>} grid */
export function paintOdd(plot, one, grid) {
  const { ctx: pen, bbox } = plot;
  const r = 4 * devicePixelRatio;
  const edges = { NaN: bbox.top + bbox.height - 2 * r, Inf: bbox.top + 2 * r, "-Inf": bbox.top + bbox.height - 2 * r };
  pen.save();
  pen.strokeStyle = pen.fillStyle = one.dim ? `${one.color}40` : one.color;
  pen.lineWidth = 1.8 * devicePixelRatio;
  const free = { NaN: -Infinity, Inf: -Infinity, "-Inf": -Infinity };
  for (const [at, text] of one.odd) {
    const left = plot.valToPos(grid[at], "x", true);
    if (!(left >= bbox.left - 1 && left <= bbox.left + bbox.width + 1)) continue;
    for (const kind of text.split(", ")) {
      if (left < free[kind]) continue;
      free[kind] = left + APART_PX * devicePixelRatio;
      pen.beginPath();
      SHAPES[kind](pen, left, edges[kind], r);
      if (kind === "NaN") pen.stroke(); else pen.fill();
    }
  }
  pen.restore();
}
