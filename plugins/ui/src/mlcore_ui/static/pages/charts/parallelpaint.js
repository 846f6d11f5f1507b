// How parallel coordinates are drawn.
import { ink } from "../../lib/theme.js";
import { clip, rule } from "./plotparts.js";

export const HEIGHT = 380;
export const TOP = 12;
export const BOTTOM = 34;
const CLOSE_PX = 10;

/** Where axis and value are; a run without a value passes below the axis. */
function left(at, n, width) {
  return ((at + 0.5) / n) * width;
}

function top(share) {
  return share === null ? HEIGHT - 10 : TOP + (1 - share) * (HEIGHT - TOP - BOTTOM);
}

/** Draw lines and axes; see Parallel. */
export function paint(pen, { width }, { drawn, runs, kept, color, hovered }) {
  const places = drawn.map(({ column, axis }) => runs.map((_, index) => axis.place(column.values[index])));
  const line = (index) => {
    pen.beginPath();
    places.forEach((of, at) => pen.lineTo(left(at, drawn.length, width), top(of[index])));
    pen.stroke();
  };
  pen.lineJoin = "round";
  pen.lineWidth = 1;
  pen.strokeStyle = ink("--line");
  pen.globalAlpha = 0.6;
  runs.forEach((_, index) => { if (!kept.has(index)) line(index); });
  pen.globalAlpha = runs.length > 200 ? 0.45 : runs.length > 40 ? 0.7 : 0.95;
  pen.lineWidth = runs.length > 200 ? 1 : 1.5;
  for (const index of kept) { pen.strokeStyle = color(index); line(index); }
  pen.globalAlpha = 1;
  const above = runs.findIndex((run) => run.run_id === hovered);
  if (kept.has(above)) {
    pen.lineWidth = 6;
    pen.strokeStyle = ink("--paper");
    line(above);
    pen.lineWidth = 3.5;
    pen.strokeStyle = color(above);
    line(above);
  }
  drawn.forEach((one, at) => axisAt(pen, one, { x: left(at, drawn.length, width), room: width / drawn.length / 2 - 14, missing: places[at].includes(null) }));
}

function axisAt(pen, { axis }, { x, room, missing }) {
  pen.lineWidth = 1.5;
  pen.strokeStyle = ink("--strong-line");
  rule(pen, x, TOP, x, top(0));
  const label = (text, y) => {
    const short = clip(pen, text, room);
    // letters stay readable above lines
    pen.lineWidth = 4;
    pen.strokeStyle = ink("--paper");
    pen.strokeText(short, x + 13, y);
    pen.fillStyle = ink("--muted");
    pen.fillText(short, x + 13, y);
  };
  pen.textAlign = "left";
  for (const { at, text } of axis.ticks) label(text, top(at) + 4);
  if (missing) label("none", HEIGHT - 6);
}

/** The kept run whose line is next to a place. @param {{x: number, y: number, size: {width: number}}} place */
export function lineNear({ x, y, size }, drawn, kept) {
  const across = (x / size.width) * drawn.length - 0.5;
  const first = Math.max(0, Math.min(drawn.length - 2, Math.floor(across)));
  if (drawn.length < 2) return null;
  const part = Math.max(0, Math.min(1, across - first));
  const [a, b] = [drawn[first], drawn[first + 1]];
  let best = null;
  let least = CLOSE_PX;
  for (const one of kept) {
    const [from, to] = [top(a.axis.place(a.column.values[one.index])), top(b.axis.place(b.column.values[one.index]))];
    const away = Math.abs(from + part * (to - from) - y);
    if (away < least) { least = away; best = one; }
  }
  return best;
}
