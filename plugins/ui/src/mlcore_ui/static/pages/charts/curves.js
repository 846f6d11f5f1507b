// Curves of one metric for many runs: asked for when they are shown, again when the runs or the part of x change.
import { useEffect, useMemo, useRef, useState } from "../../lib/html.js";
import { api } from "../../lib/api.js";
import { decode, holed } from "../../lib/series.js";
import { smooth } from "../../lib/smoothing.js";
import { groupLines } from "./grouplines.js";
import { ends, joined } from "./livecurves.js";
import { overMetric } from "./settings.js";

/** So many runs get a band from the least to the greatest value without being pointed at. */
export const FEW = 4;
/** As many runs as the server answers at once. */
export const MOST = 1000;
// of the range on both sides, so that lines go on at the edges
const MARGIN = 0.05;
const MANY = 200;
const POINTED_MS = 150;

/** @param {{key: string, ids: string[], x: string, range: [number, number]|null, buckets: number, stats: string[], since?: Record<string, number>}} asked */
export async function ask({ key, ids, x, range, buckets, stats, since }, signal) {
  const pad = range ? (range[1] - range[0]) * MARGIN : 0;
  const over = overMetric(x);
  // so many curves are seen as a whole: fewer places of each
  const places = ids.length > MANY ? Math.ceil(buckets / 3) : buckets;
  const body = { run_ids: ids.slice(0, MOST), keys: [key], buckets: places, stats, ...(since ? { since } : {}) };
  const asked = over ? { ...body, x_key: over, x_min: range ? range[0] - pad : null, x_max: range ? range[1] + pad : null }
    // steps and milliseconds are whole numbers
    : { ...body, x, start: range ? Math.floor(range[0] - pad) : null, end: range ? Math.ceil(range[1] + pad) : null };
  return { ...decode(await api.binary("api/ui/1/metrics:series", asked, signal)), x };
}

/**
 * The curves of a chart. The old ones stay until the new ones are there.
 * @param {{metric: string, ids: string[], x: string, range: [number, number]|null, buckets: number, active: boolean, revision: any}} wanted
 */
export function useCurves({ metric, ids, x, range, buckets, active, revision }) {
  const [state, setState] = useState({ curves: undefined, error: undefined, loading: true, of: "" });
  const [turn, setTurn] = useState(0);
  const of = `${metric} ${x} ${ids.join()}`;
  const whole = [of, range?.[0], range?.[1], buckets, turn].join(" ");
  useEffect(() => {
    if (!active) return undefined;
    const controller = new AbortController();
    const stats = ids.length <= FEW ? ["last", "min", "max"] : ["last"];
    setState((old) => ({ ...old, loading: true }));
    const asked = { key: metric, ids, x, range, buckets, stats };
    // only the runs have gone on
    const since = state.of === whole && !range ? ends(state.curves, x, buckets) : undefined;
    const all = () => ask(asked, controller.signal);
    const some = since ? ask({ ...asked, since }, controller.signal).then((fresh) => joined(state.curves, fresh, ids) ?? all()) : all();
    some.then(
      (curves) => { if (!controller.signal.aborted) setState({ curves, error: undefined, loading: false, of: whole }); },
      (error) => { if (!controller.signal.aborted) setState((old) => ({ ...old, error, loading: false })); },
    );
    return () => controller.abort();
  }, [of, range?.[0], range?.[1], buckets, active, revision, turn]);
  // curves over steps are no curves over time
  const fits = state.curves?.x === x;
  return { ...state, curves: fits ? state.curves : undefined, again: () => setTurn((old) => old + 1) };
}

/**
 * The band of the run that is pointed at, where there are too many runs to draw all bands.
 * @param {{metric: string, id: string|null, x: string, range: [number, number]|null, buckets: number, curves: any}} wanted
 * @returns {{id: string, band: object}|null}
 */
export function useBand({ metric, id, x, range, buckets, curves }) {
  const kept = useRef(new Map());
  const [shown, setShown] = useState(null);
  useEffect(() => { kept.current.clear(); setShown(null); }, [curves]);
  useEffect(() => {
    if (!id || !curves || curves.exact || curves.stats.includes("min")) return undefined;
    if (kept.current.has(id)) { setShown({ id, band: kept.current.get(id) }); return undefined; }
    const controller = new AbortController();
    const wait = setTimeout(() => {
      ask({ key: metric, ids: [id], x, range, buckets, stats: ["min", "max"] }, controller.signal).then((found) => {
        if (controller.signal.aborted || !found.curves.length) return;
        const band = { ...found.curves[0].values, grid: found.grid, odd: found.curves[0].odd, onTop: true };
        kept.current.set(id, band);
        setShown({ id, band });
      }, () => {}); // a band is an extra: without it the line is still there
    }, POINTED_MS);
    return () => { clearTimeout(wait); controller.abort(); };
  }, [id, curves]);
  return shown && shown.id === id ? shown : null;
}

/**
 * The lines of a chart.
 * @param {any} curves @param {{run_id: string, name: string, color: string, group?: string}[]} runs
 * @param {{weight: number, span?: number, band: {id: string, band: object}|null, groups?: {id: string, name: string, color: string}[]}} how
 *   groups: one line for each of them
 */
export function useLines(curves, runs, { weight, span, band, groups }) {
  const lines = useMemo(() => {
    if (!curves) return [];
    if (groups) return groupLines(curves, runs, groups, { weight, span });
    const known = new Map(runs.map((run) => [run.run_id, run]));
    const few = curves.curves.length <= FEW;
    return curves.curves.filter((curve) => known.has(curve.run_id)).map((curve) => {
      const run = known.get(curve.run_id);
      const { min, max } = curve.values;
      const last = holed(curve.values.last, curve.odd);
      return {
        id: run.run_id, label: run.name, color: run.color, last: curve.last, count: curve.count, odd: curve.odd,
        values: smooth(curves.grid, last, weight, span),
        raw: weight && few ? last : undefined,
        band: min && !curves.exact ? { min, max, odd: curve.odd } : undefined,
      };
    });
  }, [curves, runs, weight, span, groups]);
  return useMemo(() => (band ? lines.map((line) => (line.id === band.id ? { ...line, band: band.band } : line)) : lines), [lines, band]);
}
