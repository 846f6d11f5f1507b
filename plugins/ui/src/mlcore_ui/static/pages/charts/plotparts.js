// What the plots of compared runs have in common.
import { html } from "../../lib/html.js";
import { axisOf, ramp } from "../../lib/scales.js";
import { ink, theme } from "../../lib/theme.js";
import { href } from "../../lib/url.js";
import { shown } from "./difftable.js";
import { Mark } from "./legend.js";

const KINDS = ["Metrics", "Params", "Attributes", "Tags"];
const ROWS = 100;
const EDGE = { left: 62, right: 18, top: 28, bottom: 42 };
// between the frame and the outermost values
const INSET = 9;

/** Where shares of the axes are, in pixels. @param {{width: number, height: number}} size */
export function places({ width, height }) {
  const [w, h] = [width - EDGE.left - EDGE.right - 2 * INSET, height - EDGE.top - EDGE.bottom - 2 * INSET];
  return { left: (share) => EDGE.left + INSET + share * w, top: (share) => EDGE.top + INSET + (1 - share) * h, w, h };
}

/** Choose a column. @param {{label: string, value: string, columns: any[], onChange: (column: string) => void, none?: string}} props */
export function Pick({ label, value, columns, onChange, none }) {
  return html`<label class="check">${label} <select class="pick" value=${value} onChange=${(event) => onChange(event.currentTarget.value)}>
    ${none !== undefined && html`<option value="" selected=${!value}>${none}</option>`}
    ${KINDS.map((kind) => {
      const some = columns.filter((one) => one.group === kind);
      return some.length > 0 && html`<optgroup key=${kind} label=${kind}>${some.map((one) => html`<option key=${one.column} value=${one.column} selected=${one.column === value}>${one.label}</option>`)}</optgroup>`;
    })}</select></label>`;
}

/** The column of a name, else another that is given. */
export function chosen(columns, name, other) {
  return columns.find((one) => one.column === name) ?? other;
}

/**
 * Colours of runs by a column, their own without one.
 * @returns {(index: number) => string}
 */
export function coloring(runs, column) {
  if (!column) return (index) => runs[index].color;
  const axis = axisOf(column.values);
  return (index) => { const at = axis.place(column.values[index]); return at === null ? ink("--strong-line") : ramp(at, theme.value); };
}

/** What colours mean. @param {{column: any}} props */
export function Scale({ column }) {
  if (!column) return null;
  const axis = axisOf(column.values);
  const parts = axis.kind === "text" ? axis.ticks : [0, 0.25, 0.5, 0.75, 1].map((at) => ({ at, text: axis.back(at) }));
  return html`<p class="legend">${column.label}: ${parts.map(({ at, text }) => html`<span key=${text} class="legend-line"><${Mark} color=${ramp(at, theme.value)} /> ${text}</span>`)}</p>`;
}

/** Draw two axes with their ticks and names; the places are those of `places`. */
export function frame(pen, size, { x, y, xName, yName }) {
  const place = places(size);
  const bottom = place.top(0) + INSET;
  pen.lineWidth = 1;
  pen.strokeStyle = ink("--grid");
  pen.fillStyle = ink("--muted");
  pen.textAlign = "center";
  let free = -Infinity;
  for (const { at, text } of x.ticks) {
    const left = Math.round(place.left(at)) + 0.5;
    rule(pen, left, EDGE.top, left, bottom);
    const short = clip(pen, text, 110);
    const half = pen.measureText(short).width / 2;
    if (left - half < free + 6) continue;
    pen.fillText(short, left, bottom + 16);
    free = left + half;
  }
  pen.textAlign = "right";
  for (const { at, text } of y.ticks) {
    const top = Math.round(place.top(at)) + 0.5;
    rule(pen, EDGE.left, top, size.width - EDGE.right, top);
    pen.fillText(clip(pen, text, EDGE.left - 10), EDGE.left - 6, top + 4);
  }
  pen.fillStyle = ink("--ink");
  pen.fillText(clip(pen, `${xName}${x.kind === "log" ? " (logarithmic)" : ""}`, place.w), size.width - EDGE.right, size.height - 6);
  pen.textAlign = "left";
  pen.fillText(clip(pen, `${yName}${y.kind === "log" ? " (logarithmic)" : ""}`, place.w), 6, 14);
  return place;
}

export function rule(pen, fromX, fromY, toX, toY) {
  pen.beginPath();
  pen.moveTo(fromX, fromY);
  pen.lineTo(toX, toY);
  pen.stroke();
}

/** A text that is not wider than so many pixels. */
export function clip(pen, text, most) {
  if (pen.measureText(text).width <= most) return text;
  let kept = text;
  while (kept.length > 1 && pen.measureText(`${kept}…`).width > most) kept = kept.slice(0, -1);
  return `${kept}…`;
}

/** The plot as a table: what it shows, for every run. @param {{runs: any[], columns: any[], hovered?: string|null, onHover?: any, open?: boolean}} props */
export function PlotTable({ runs, columns, hovered, onHover, open }) {
  return html`<details class="plot-table" open=${open}><summary>Values as a table</summary><div class="scroll" tabindex="0" role="region" aria-label="Values of the plot"><table class="plain">
    <thead><tr><th>Run</th>${columns.map((one) => html`<th key=${one.column} class=${one.numeric ? "right" : ""}>${one.label}</th>`)}</tr></thead>
    <tbody>${runs.slice(0, ROWS).map(({ run, index }) => html`<tr key=${run.run_id} class=${run.run_id === hovered ? "on" : ""} onMouseEnter=${() => onHover?.(run.run_id)} onMouseLeave=${() => onHover?.(null)}>
      <th scope="row"><${Mark} color=${run.color} /> <a href=${href(`runs/${run.run_id}`)}>${run.name}</a></th>${columns.map((one) => html`<td key=${one.column} class=${one.numeric ? "right" : ""}>${shown(one, one.values[index])}</td>`)}</tr>`)}</tbody></table></div>
    ${runs.length > ROWS && html`<p class="muted">The first ${ROWS} of ${runs.length} runs.</p>`}</details>`;
}
