// What changes while somebody looks: asked for in small requests, and only while the page is seen.
import { useEffect, useRef } from "./html.js";
import { api } from "./api.js";

const BUSY_MS = 5000;
const CALM_MS = 30000;

/**
 * Tell a component which runs of experiments have changed. Hidden pages ask nothing and look again when they are seen.
 * @param {string[]} experimentIds
 * @param {(change: {run_ids: string[], running: number}) => void} onChange
 * @param {{pause?: boolean, after?: number, calm?: number}} [more] pause: ask nothing for now. after: ms until the first look, on which
 * nothing is told when there is some. calm: ms between looks while nothing runs
 */
export function useChanges(experimentIds, onChange, { pause = false, after = 0, calm = CALM_MS } = {}) {
  const latest = useRef(onChange);
  latest.current = onChange;
  const key = experimentIds.join(",");
  useEffect(() => {
    if (!key || pause) return undefined;
    const controller = new AbortController();
    let cursor;
    let running = 0;
    let timer = 0;
    let last = 0;
    let asking = false;
    const wait = (ms) => {
      clearTimeout(timer);
      if (!document.hidden && !controller.signal.aborted) timer = setTimeout(ask, ms);
    };
    const ask = async () => {
      if (asking) return;
      asking = true;
      last = Date.now();
      let next = calm;
      try {
        const answer = await api.get("api/ui/1/changes", { experiment_ids: key.split(","), since: cursor }, controller.signal);
        if (answer) {
          const first = cursor === undefined;
          cursor = answer.cursor;
          running = answer.running;
          // what changed between the page's own questions and this first one would be seen by nobody: look at all once
          if (first && !controller.signal.aborted) latest.current({ run_ids: [], running });
          if (!first && !controller.signal.aborted && (answer.run_ids?.length || answer.more)) latest.current(answer);
          if (answer.more) next = 0;
        }
        if (next) next = running > 0 ? BUSY_MS : calm;
      } catch (error) {
        // a server that starts again knows no cursor of before: look at all once
        if (error.name !== "AbortError" && error.status >= 400 && error.status < 500) { cursor = undefined; latest.current({ run_ids: [], running }); }
      }
      asking = false;
      wait(next);
    };
    const seen = () => {
      if (document.hidden) clearTimeout(timer);
      else wait(Math.max(0, BUSY_MS - (Date.now() - last)));
    };
    document.addEventListener("visibilitychange", seen);
    // the first look finds out where things stand
    wait(after);
    return () => { controller.abort(); clearTimeout(timer); document.removeEventListener("visibilitychange", seen); };
  }, [key, pause, after, calm]);
}
