// One column against another, a point for each run.
import { html, useCallback, useMemo, useState } from "../../lib/html.js";
import { axisOf } from "../../lib/scales.js";
import { ink } from "../../lib/theme.js";
import { PlotCanvas } from "../../components/plotcanvas.js";
import { comparing } from "./comparing.js";
import { plotted } from "./comparison.js";
import { shown } from "./difftable.js";
import { chosen, coloring, frame, Pick, places, PlotTable, Scale } from "./plotparts.js";

const HEIGHT = 420;
const CLOSE_PX = 18;

/** The points of runs that have both values. */
export function pointsOf(runs, { x, y, xAxis, yAxis }) {
  return runs.map((run, index) => ({ run, index, x: xAxis.place(x.values[index]), y: yAxis.place(y.values[index]) })).filter((one) => one.x !== null && one.y !== null);
}

export default comparing(Scatter);

/** @param {any} props of comparing */
function Scatter({ runs, columns, query, onQuery, hovered, onHover }) {
  const choice = useMemo(() => plotted(columns), [columns]);
  const y = chosen(choice, query.py, choice.find((one) => one.kind === "metric") ?? choice[0]);
  const x = chosen(choice, query.px, choice.find((one) => one.kind === "param" && one.numeric && one.differs) ?? choice.find((one) => one.kind === "param") ?? choice[1] ?? choice[0]);
  const by = chosen(choice, query.pc, null);
  if (!x || !y) return html`<p class="muted">These runs recorded nothing to plot.</p>`;
  return html`<div class="bar"><${Pick} label="X" value=${x.column} columns=${choice} onChange=${(px) => onQuery({ px })} />
      <${Pick} label="Y" value=${y.column} columns=${choice} onChange=${(py) => onQuery({ py })} />
      <${Pick} label="Colour" value=${by?.column ?? ""} columns=${choice} none="by run" onChange=${(pc) => onQuery({ pc: pc || null })} /></div>
    <${Points} runs=${runs} x=${x} y=${y} by=${by} hovered=${hovered} onHover=${onHover} />`;
}

/**
 * Points that can be pointed at, by mouse and by arrow keys.
 * @param {any} props with `under`, which draws below the points
 */
export function Points({ runs, x, y, by, hovered, onHover, under }) {
  const xAxis = useMemo(() => axisOf(x.values), [x]);
  const yAxis = useMemo(() => axisOf(y.values), [y]);
  const points = useMemo(() => pointsOf(runs, { x, y, xAxis, yAxis }).sort((a, b) => a.x - b.x || a.y - b.y), [runs, x, y]);
  const [said, setSaid] = useState("");
  const draw = useCallback((pen, size) => {
    const place = frame(pen, size, { x: xAxis, y: yAxis, xName: x.label, yName: y.label });
    under?.(pen, place);
    const color = under ? () => ink("--ink") : coloring(runs, by);
    for (const one of points) dot(pen, place, one, { color: color(one.index), on: one.run.run_id === hovered });
    const above = points.find((one) => one.run.run_id === hovered);
    if (above) dot(pen, place, above, { color: color(above.index), on: true });
  }, [runs, points, by, hovered, under]);
  const tell = (one) => `${one.run.name}: ${x.label} ${shown(x, x.values[one.index])}, ${y.label} ${shown(y, y.values[one.index])}${by && by !== x && by !== y ? `, ${by.label} ${shown(by, by.values[one.index])}` : ""}`;
  const point = (left, top, size) => {
    const place = places(size);
    let best = null;
    let least = CLOSE_PX;
    for (const one of points) {
      const away = Math.hypot(place.left(one.x) - left, place.top(one.y) - top);
      if (away < least) { least = away; best = one; }
    }
    if ((best?.run.run_id ?? null) !== hovered) onHover(best?.run.run_id ?? null);
  };
  const key = (event) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by || !points.length) return;
    event.preventDefault();
    const now = points.findIndex((one) => one.run.run_id === hovered);
    const next = points[now < 0 ? (by > 0 ? 0 : points.length - 1) : (now + by + points.length) % points.length];
    onHover(next.run.run_id);
    setSaid(tell(next));
  };
  const at = points.find((one) => one.run.run_id === hovered);
  const left = runs.length - points.length;
  return html`<figure class="plot"><${PlotCanvas} height=${HEIGHT} draw=${draw} onPoint=${point} onLeave=${() => hovered && onHover(null)} onKey=${key}
      label=${`${y.label} against ${x.label}, ${points.length} runs. Arrow keys go from run to run.`} />
    <figcaption class="legend">${at ? html`<b>${tell(at)}</b>` : html`<span class="muted">${points.length} runs${left ? `; ${left} without both values` : ""}</span>`}</figcaption>
    <p class="offscreen" aria-live="polite">${said}</p></figure>
    <${Scale} column=${by} />
    <${PlotTable} runs=${points} columns=${[...new Set([x, y, by])].filter(Boolean)} hovered=${hovered} onHover=${onHover} />`;
}

function dot(pen, place, one, { color, on }) {
  pen.beginPath();
  pen.arc(place.left(one.x), place.top(one.y), on ? 7 : 4.5, 0, 2 * Math.PI);
  pen.fillStyle = color;
  pen.fill();
  pen.lineWidth = on ? 2 : 1;
  pen.strokeStyle = on ? ink("--ink") : ink("--paper");
  pen.stroke();
}
