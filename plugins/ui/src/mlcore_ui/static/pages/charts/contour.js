// A metric over two numbers: heights between the runs, by their distance.
import { html, useCallback, useMemo } from "../../lib/html.js";
import { axisOf, ramp } from "../../lib/scales.js";
import { field, isolines } from "../../lib/statistics.js";
import { ink, theme } from "../../lib/theme.js";
import { comparing } from "./comparing.js";
import { plotted } from "./comparison.js";
import { chosen, Pick, rule } from "./plotparts.js";
import { Points, pointsOf } from "./scatter.js";

const ACROSS = 72;
const UP = 48;
const LEVELS = 10;
const LEAST = 3;

export default comparing(Contour);

/** @param {any} props of comparing */
function Contour({ runs, columns, query, onQuery, hovered, onHover }) {
  const choice = useMemo(() => plotted(columns).filter((one) => one.numeric), [columns]);
  const free = choice.filter((one) => one.kind === "param" && one.differs);
  const x = chosen(choice, query.px, free[0] ?? choice[0]);
  const y = chosen(choice, query.py, free.find((one) => one !== x) ?? choice.find((one) => one !== x));
  const z = chosen(choice, query.pc, choice.find((one) => one.kind === "metric" && one !== x && one !== y) ?? choice.find((one) => one !== x && one !== y));
  if (!x || !y || !z) return html`<p class="muted">A contour plot needs three names that hold numbers.</p>`;
  return html`<div class="bar"><${Pick} label="X" value=${x.column} columns=${choice} onChange=${(px) => onQuery({ px })} />
      <${Pick} label="Y" value=${y.column} columns=${choice} onChange=${(py) => onQuery({ py })} />
      <${Pick} label="Height" value=${z.column} columns=${choice} onChange=${(pc) => onQuery({ pc })} /></div>
    <${Heights} runs=${runs} x=${x} y=${y} z=${z} hovered=${hovered} onHover=${onHover} />`;
}

function Heights({ runs, x, y, z, hovered, onHover }) {
  const points = useMemo(() => {
    const height = axisOf(z.values);
    return pointsOf(runs, { x, y, xAxis: axisOf(x.values), yAxis: axisOf(y.values) }).map((one) => ({ x: one.x, y: one.y, z: height.place(z.values[one.index]) })).filter((one) => one.z !== null);
  }, [runs, x, y, z]);
  const heights = useMemo(() => (points.length >= LEAST ? field(points, ACROSS, UP) : null), [points]);
  const shown = theme.value;
  const under = useCallback((pen, place) => { if (heights) hills(pen, place, { heights, shown }); }, [heights, shown]);
  return html`${!heights && html`<p class="muted">Fewer than ${LEAST} runs have all three values.</p>`}
    <${Points} runs=${runs} x=${x} y=${y} by=${z} hovered=${hovered} onHover=${onHover} under=${under} />`;
}

function hills(pen, { left, top, w, h }, { heights, shown }) {
  // one pixel for one cell, made large as a whole: cells drawn one by one would overlap at their edges
  const small = document.createElement("canvas");
  small.width = ACROSS;
  small.height = UP;
  const brush = small.getContext("2d");
  heights.forEach((height, at) => {
    brush.fillStyle = ramp(Math.min(LEVELS - 1, Math.floor(height * LEVELS)) / (LEVELS - 1), shown);
    brush.fillRect(at % ACROSS, UP - 1 - Math.floor(at / ACROSS), 1, 1);
  });
  pen.globalAlpha = 0.6;
  pen.imageSmoothingEnabled = false;
  pen.drawImage(small, left(0), top(1), w, h);
  pen.globalAlpha = 0.7;
  pen.strokeStyle = ink("--paper");
  pen.lineWidth = 1;
  for (let level = 1; level < LEVELS; level += 1) {
    for (const [ax, ay, bx, by] of isolines(heights, ACROSS, UP, level / LEVELS)) {
      rule(pen, left(ax / (ACROSS - 1)), top(ay / (UP - 1)), left(bx / (ACROSS - 1)), top(by / (UP - 1)));
    }
  }
  pen.globalAlpha = 1;
}
