// A canvas as large as the page lets it be, drawn again when that, the theme or what it shows changes.
import { html, useEffect, useLayoutEffect, useRef } from "../lib/html.js";
import { theme } from "../lib/theme.js";

/**
 * @param {{height: number, label: string, draw: (pen: CanvasRenderingContext2D, size: {width: number, height: number}) => void,
 *   onPoint?: (x: number, y: number, size: {width: number, height: number}) => void, onLeave?: () => void,
 *   onKey?: (event: KeyboardEvent) => void, children?: any}} props
 *   draw: in CSS pixels; called again when it is another function. onKey: makes the plot reachable by the keyboard
 */
export function PlotCanvas({ height, label, draw, onPoint, onLeave, onKey, children }) {
  const canvas = useRef(null);
  const latest = useRef(draw);
  latest.current = draw;
  const paint = () => {
    const element = canvas.current;
    const width = element?.clientWidth;
    if (!width) return;
    const ratio = devicePixelRatio;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (element.width !== w || element.height !== h) { element.width = w; element.height = h; }
    const pen = element.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = "12px system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
    latest.current(pen, { width, height });
  };
  const shown = theme.value;
  useLayoutEffect(paint, [draw, height, shown]);
  useEffect(() => {
    const sizes = new ResizeObserver(paint);
    sizes.observe(canvas.current);
    return () => sizes.disconnect();
  }, []);
  const point = (event) => onPoint?.(event.offsetX, event.offsetY, { width: canvas.current.clientWidth, height });
  return html`<div class="plot-canvas" style=${{ height: `${height}px` }} tabindex=${onKey ? 0 : undefined} role=${onKey ? "application" : undefined}
    aria-roledescription=${onKey ? "plot" : undefined} aria-label=${onKey ? label : undefined} onKeyDown=${onKey}>
    <canvas ref=${canvas} role="img" aria-label=${label} onMouseMove=${onPoint ? point : undefined} onMouseLeave=${onLeave}></canvas>${children}</div>`;
}
