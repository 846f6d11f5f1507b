// How a number is spread among runs that have something in common.
import { html, useCallback, useMemo } from "../../lib/html.js";
import { number } from "../../lib/format.js";
import { axisOf, numeric } from "../../lib/scales.js";
import { box } from "../../lib/statistics.js";
import { ink } from "../../lib/theme.js";
import { PlotCanvas } from "../../components/plotcanvas.js";
import { comparing } from "./comparing.js";
import { plotted } from "./comparison.js";
import { shown } from "./difftable.js";
import { chosen, clip, frame, Pick, rule } from "./plotparts.js";

const HEIGHT = 420;
const MOST = 24;

export default comparing(BoxPlot);

/** @param {any} props of comparing */
function BoxPlot({ runs, columns, query, onQuery }) {
  const choice = useMemo(() => plotted(columns), [columns]);
  const numbers = choice.filter((one) => one.numeric);
  const y = chosen(numbers, query.py, numbers.find((one) => one.kind === "metric") ?? numbers[0]);
  const repeated = (one) => one.differs && new Set(one.values.map(String)).size <= Math.max(2, runs.length / 2);
  const x = chosen(choice, query.px, choice.find((one) => one.kind === "param" && repeated(one)) ?? choice.find((one) => one.kind !== "metric" && repeated(one)) ?? choice.find((one) => one.kind === "param") ?? choice[0]);
  if (!x || !y) return html`<p class="muted">These runs recorded no numbers.</p>`;
  return html`<div class="bar"><${Pick} label="Values" value=${y.column} columns=${numbers} onChange=${(py) => onQuery({ py })} />
      <${Pick} label="Grouped by" value=${x.column} columns=${choice} onChange=${(px) => onQuery({ px })} /></div>
    <${Boxes} runs=${runs} x=${x} y=${y} />`;
}

/** Runs by the value of a column, with the numbers of another. */
export function grouped(runs, x, y) {
  const found = new Map();
  runs.forEach((_, index) => {
    const value = numeric(y.values[index]);
    if (value === null) return;
    const name = shown(x, x.values[index]) || "none";
    found.set(name, [...(found.get(name) ?? []), value]);
  });
  const order = new Intl.Collator("en", { numeric: true });
  return [...found].sort(([a], [b]) => order.compare(a, b)).map(([name, values]) => ({ name, values, ...box(values) }));
}

function Boxes({ runs, x, y }) {
  const all = useMemo(() => grouped(runs, x, y), [runs, x, y]);
  const groups = all.slice(0, MOST);
  const axis = useMemo(() => axisOf(groups.flatMap((one) => one.values)), [all]);
  const draw = useCallback((pen, size) => {
    const none = { kind: "text", ticks: [] };
    const place = frame(pen, size, { x: none, y: axis, xName: x.label, yName: y.label });
    const step = place.w / groups.length;
    groups.forEach((one, at) => paint(pen, place, { one, axis, middle: place.left(0) + (at + 0.5) * step, half: Math.min(34, step * 0.32), step }));
  }, [all, axis]);
  if (!groups.length) return html`<p class="muted">No run has a number for ${y.label}.</p>`;
  return html`<figure class="plot"><${PlotCanvas} height=${HEIGHT} draw=${draw} label=${`${y.label} by ${x.label}, ${groups.length} groups; the table below has the numbers`} />
      ${all.length > MOST && html`<figcaption class="muted">The first ${MOST} of ${all.length} groups.</figcaption>`}</figure>
    <div class="scroll" tabindex="0" role="region" aria-label="Numbers of the box plot"><table class="plain"><thead><tr><th>${x.label}</th>${["Runs", "Min", "First quarter", "Median", "Third quarter", "Max"].map((name) => html`<th key=${name} class="right">${name}</th>`)}</tr></thead>
      <tbody>${all.map((one) => html`<tr key=${one.name}><th scope="row">${one.name}</th>${[one.n, one.min, one.q1, one.median, one.q3, one.max].map((value, at) => html`<td key=${at} class="right">${number(value)}</td>`)}</tr>`)}</tbody></table></div>`;
}

function paint(pen, place, { one, axis, middle, half, step }) {
  const top = (value) => place.top(axis.place(value) ?? 0);
  pen.strokeStyle = ink("--accent");
  pen.lineWidth = 1.5;
  rule(pen, middle, top(one.low), middle, top(one.q1));
  rule(pen, middle, top(one.q3), middle, top(one.high));
  rule(pen, middle - half / 2, top(one.low), middle + half / 2, top(one.low));
  rule(pen, middle - half / 2, top(one.high), middle + half / 2, top(one.high));
  pen.fillStyle = ink("--accent-soft");
  const height = Math.max(1, top(one.q1) - top(one.q3));
  pen.fillRect(middle - half, top(one.q3), 2 * half, height);
  pen.strokeRect(middle - half, top(one.q3), 2 * half, height);
  pen.lineWidth = 2.5;
  rule(pen, middle - half, top(one.median), middle + half, top(one.median));
  pen.fillStyle = ink("--accent");
  for (const value of one.outliers) { pen.beginPath(); pen.arc(middle, top(value), 3, 0, 2 * Math.PI); pen.fill(); }
  pen.fillStyle = ink("--muted");
  pen.textAlign = "center";
  pen.fillText(clip(pen, one.name, step - 4), middle, place.top(0) + 25);
}
