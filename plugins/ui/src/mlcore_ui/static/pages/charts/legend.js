// Which line is whose, with values where the pointer is.
import { html } from "../../lib/html.js";
import { number } from "../../lib/format.js";
import { nearest, valueAt } from "../../lib/series.js";
import { before, place } from "../../components/chartaxes.js";

/**
 * @param {{grid: ArrayLike<number>, lines: any[], x: string, cursor: {value: number|null}, hovered: string|null,
 *   onHover: (id: string|null) => void, most: number, note?: string, what?: string}} props
 *   most: of more lines only the one that is pointed at is named
 */
export function Legend({ grid, lines, x, cursor, hovered, onHover, most, note, what = "runs" }) {
  const at = cursor.value === null ? -1 : nearest(grid, cursor.value);
  const few = lines.length <= most;
  const shown = few ? lines : lines.filter((line) => line.id === hovered);
  return html`<div class="legend">
    ${at >= 0 && html`<span class="muted">${before(x)}${place(grid[at], x)}</span>`}
    ${shown.map((line) => html`<span key=${line.id} class=${`legend-line ${line.id === hovered ? "on" : ""}`} onMouseEnter=${() => onHover(line.id)} onMouseLeave=${() => onHover(null)}>
      <${Mark} color=${line.color} /> <span class="legend-name">${line.label}</span> <b>${number(at >= 0 ? valueAt(grid, line.values, at, line.odd) ?? line.odd?.get(at) : line.last)}</b></span>`)}
    ${!few && !shown.length && html`<span class="muted">${lines.length} ${what}</span>`}
    ${note && html`<span class="muted">${note}</span>`}
  </div>`;
}

/** A spot of the colour of a run. @param {{color: string}} props */
export function Mark({ color }) {
  return html`<span class="mark-dot" aria-hidden="true" style=${{ background: color }}></span>`;
}
