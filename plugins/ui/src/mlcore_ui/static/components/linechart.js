// A chart of curves over one grid. The library that draws is loaded with the first chart that is shown.
import { html, useEffect, useRef, useSignal } from "../lib/html.js";
import { theme } from "../lib/theme.js";
import { ChartView } from "./chartview.js";

/**
 * @typedef {{id: string, label: string, color: string, values: (number|null|undefined)[], raw?: (number|null|undefined)[], dim?: boolean,
 *   odd?: Map<number, string>, band?: {min: (number|null)[], max: (number|null)[], grid?: ArrayLike<number>, odd?: Map<number, string>}}} Line
 *   values: on the chart's grid. raw: before smoothing, drawn faintly. band: what the values stand for.
 *   dim: drawn faintly. odd: positions on the grid with points that are not finite, "NaN", "Inf", "-Inf" or some of them
 *   ("NaN, Inf"): they are marked. In a line with odd ones null is a hole, and undefined is spanned; else null is spanned
 * @typedef {{grid: ArrayLike<number>, series: Line[], x?: string, xLog?: boolean, yLog?: boolean,
 *   height?: number, range?: [number, number]|null, onZoom?: (start: number|null, end: number|null) => void,
 *   hovered?: string|null, onHover?: (id: string|null) => void, onOpen?: () => void, label: string,
 *   cursor?: {value: number|null}, say?: (text: string) => void, handle?: {current: any}}} Spec
 *   grid: ascending; x says of what: step (the default), time (ms since the epoch), relative (ms since the start) or metrics.NAME. range: the part of x that is shown.
 *   cursor: a signal of the position that is pointed at, shared by charts. handle: gets `{canvas(): HTMLCanvasElement}`
 */

let library;

function loaded() {
  library ??= import("uplot").then((module) => module.default);
  return library;
}

/** @param {Spec} spec grid and series are drawn anew when they are other objects */
export function LineChart(spec) {
  const own = useSignal(null);
  const box = useRef(null);
  const said = useRef(null);
  const view = useRef(/** @type {ChartView|null} */ (null));
  const latest = useRef(spec);
  const { grid, series, x = "step", xLog, yLog, height = 220, range, hovered, label, handle } = spec;
  latest.current = { x: "step", height: 220, cursor: own, say: (text) => { said.current.textContent = text; }, ...spec };
  const shape = [x, xLog, yLog, theme.value, ...series.map((one) => `${one.id} ${one.color} ${one.dim ? 1 : 0}${one.raw ? 1 : 0}${one.odd ? 1 : 0}`)].join("|");
  useEffect(() => {
    let wanted = true;
    loaded().then((Plot) => {
      if (!wanted || !box.current) return; // gone before the library came
      view.current = new ChartView(Plot, box.current, () => latest.current);
      if (handle) handle.current = { canvas: () => view.current?.picture() };
    });
    return () => { wanted = false; view.current?.destroy(); view.current = null; };
  }, [shape]);
  useEffect(() => view.current?.update(), [grid, series, range?.[0], range?.[1]]);
  useEffect(() => view.current?.resize(), [height]);
  useEffect(() => view.current?.over(), [hovered]);
  return html`<div class="linechart" ref=${box} style=${{ height: `${height}px` }} tabindex="0" role="application" aria-roledescription="chart" aria-label=${label}
    onKeyDown=${(event) => view.current?.key(event)} onBlur=${() => view.current?.leave()}>
    <p class="offscreen" aria-live="polite" ref=${said}></p></div>`;
}
