// Metrics that each run recorded once: a bar for each, as a line needs two points.
import { html } from "../../lib/html.js";
import { number } from "../../lib/format.js";
import { extent } from "../../lib/series.js";
import { Mark } from "./legend.js";

/** Whether curves are no curves: not more than one place of the axis. */
export function isSingle(curves) {
  return curves.exact && curves.n <= 1;
}

/** @param {{metric: string, lines: any[], height: number, hovered: string|null, onHover: (id: string|null) => void}} props */
export function Bars({ metric, lines, height, hovered, onHover }) {
  const values = lines.map((line) => line.values[0] ?? null);
  const limits = extent(values) ?? [0, 0];
  const [low, high] = [Math.min(0, limits[0]), Math.max(0, limits[1])];
  const share = (value) => (high > low ? ((value - low) / (high - low)) * 100 : 0);
  return html`<ul class="bars" style=${{ height: `${height}px` }} tabindex="0" aria-label=${`${metric}, one value for each run`}>
    ${lines.map((line, at) => html`<li key=${line.id} class=${line.id === hovered ? "on" : ""} onMouseEnter=${() => onHover(line.id)} onMouseLeave=${() => onHover(null)}>
      <span class="bar-name"><${Mark} color=${line.color} /> <span class="legend-name">${line.label}</span></span>
      <span class="bar-room" aria-hidden="true">${values[at] !== null && html`<span class="bar-fill" style=${{ background: line.color, left: `${share(Math.min(0, values[at]))}%`, width: `${Math.abs(share(values[at]) - share(0))}%` }}></span>`}</span>
      <b>${number(values[at] ?? line.last)}</b></li>`)}</ul>`;
}
