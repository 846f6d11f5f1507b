// A range on an axis of parallel coordinates: dragged with the pointer, or its two ends by keys.
import { html, useRef } from "../../lib/html.js";
import { BOTTOM, HEIGHT, TOP } from "./parallelpaint.js";

const INNER = HEIGHT - TOP - BOTTOM;
const SMALL = 0.01;

/** @param {{name: string, axis: any, left: number, range: [number, number], onRange: (range: [number, number]) => void}} props range: 0 (bottom) to 1 */
export function AxisRange({ name, axis, left, range, onRange }) {
  const from = useRef(null);
  const strip = useRef(null);
  const share = (event) => Math.max(0, Math.min(1, 1 - (event.clientY - strip.current.getBoundingClientRect().top) / INNER));
  const down = (event) => {
    if (event.button || event.target.getAttribute("role") === "slider") return;
    from.current = share(event);
    strip.current.setPointerCapture(event.pointerId);
  };
  const move = (event) => {
    if (from.current === null) return;
    const now = share(event);
    if (Math.abs(now - from.current) > SMALL) onRange([Math.min(from.current, now), Math.max(from.current, now)]);
  };
  const up = (event) => {
    // a click that was no drag takes the range away
    if (from.current !== null && Math.abs(share(event) - from.current) <= SMALL) onRange([0, 1]);
    from.current = null;
  };
  const open = range[0] <= 0 && range[1] >= 1;
  return html`<div class="axis-range" ref=${strip} style=${{ left: `${left * 100}%`, top: `${TOP}px`, height: `${INNER}px` }}
      onPointerDown=${down} onPointerMove=${move} onPointerUp=${up} onPointerCancel=${() => { from.current = null; }}>
    ${!open && html`<div class="axis-picked" style=${{ top: `${(1 - range[1]) * 100}%`, height: `${(range[1] - range[0]) * 100}%` }}></div>`}
    <${End} name=${`Max ${name}`} axis=${axis} at=${range[1]} onMove=${(at) => onRange([range[0], Math.max(range[0], at)])} />
    <${End} name=${`Min ${name}`} axis=${axis} at=${range[0]} onMove=${(at) => onRange([Math.min(range[1], at), range[1]])} /></div>`;
}

function End({ name, axis, at, onMove }) {
  const held = useRef(false);
  const step = axis.kind === "text" && axis.high > 0 ? 1 / axis.high : 0.02;
  const key = (event) => {
    const to = { ArrowUp: at + step, ArrowRight: at + step, ArrowDown: at - step, ArrowLeft: at - step, PageUp: at + 5 * step, PageDown: at - 5 * step, Home: 0, End: 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    onMove(Math.max(0, Math.min(1, to)));
  };
  const move = (event) => {
    if (!held.current) return;
    const around = event.currentTarget.parentElement.getBoundingClientRect();
    onMove(Math.max(0, Math.min(1, 1 - (event.clientY - around.top) / around.height)));
  };
  return html`<div class="axis-end" role="slider" tabindex="0" aria-orientation="vertical" aria-label=${name} aria-valuemin="0" aria-valuemax="100"
    aria-valuenow=${Math.round(at * 100)} aria-valuetext=${axis.back(at)} style=${{ top: `${(1 - at) * 100}%` }} onKeyDown=${key}
    onPointerDown=${(event) => { held.current = true; event.currentTarget.setPointerCapture(event.pointerId); event.stopPropagation(); }}
    onPointerMove=${move} onPointerUp=${() => { held.current = false; }} onPointerCancel=${() => { held.current = false; }}></div>`;
}
