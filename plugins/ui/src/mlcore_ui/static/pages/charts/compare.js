// Runs side by side. The ways to compare are panels: ours and those of plugins, in their order.
import { html, useMemo, useRef, useSignal } from "../../lib/html.js";
import { extensions } from "../../lib/extensions.js";
import { Empty } from "../../components/empty.js";
import { ExtensionPanel, loaded } from "../../components/extensionpanel.js";
import { panel } from "../../components/panel.js";
import { load } from "./comparison.js";

const MOST = 1000;

export default panel(Compare);

/**
 * The ways to compare. What it owns of the address: compare, the id of the way; the first one without.
 * @param {{runs: import("../../components/extensionpanel.js").DrawnRun[], first?: import("../../components/extensionpanel.js").DrawnRun[], experiment_ids: string[], params: Record<string, string>,
 *   setParams: (changes: Record<string, string|null>, more?: {replace?: boolean}) => void, hovered?: {value: string|null}, select?: (ids: string[]) => void, revision?: number}} props
 *   of the context. first: what is compared when no run is selected
 */
export function Compare({ runs: selected, first = [], experiment_ids, params, setParams, hovered, select, revision }) {
  const own = useSignal(null);
  const all = selected.length ? selected : first;
  const runs = useMemo(() => all.slice(0, MOST), [all]);
  const ids = runs.map((run) => run.run_id);
  const compared = useCompared({ ids, experiment_ids, revision });
  if (runs.length < 2) return html`<${Empty} title="Nothing to compare yet" note="Select two runs or more in the table: with their boxes, or with Space." />`;
  const panels = extensions("compare_panel");
  const now = panels.find((one) => one.id === params.compare) ?? panels[0];
  const near = (one) => { loaded(one).catch(() => undefined); }; // what is wrong with it is told when it is mounted
  return html`<section class="compare" aria-label="Compare">
    <div class="bar" role="group" aria-label="Ways to compare">${panels.map((one) => html`<button key=${one.id} class=${one === now ? "on" : ""} aria-pressed=${one === now}
      onMouseEnter=${() => near(one)} onFocus=${() => near(one)} onClick=${() => setParams({ compare: one === panels[0] ? null : one.id })}>${one.title}</button>`)}<span class="muted">${all.length} runs</span></div>
    <${ExtensionPanel} key=${now.id} extension=${now} context=${{ run_ids: ids, runs, experiment_ids, params, revision }} offers=${{ compared, hovered: hovered ?? own, select, setParams }} />
  </section>`;
}

/** Ask once for what is known of the runs, whatever panels want it; again when runs have changed, and after a failure. */
function useCompared({ ids, experiment_ids, revision }) {
  const kept = useRef({ key: "", answer: null });
  const key = `${experiment_ids.join()} ${ids.join()} ${revision ?? ""}`;
  return (search = "") => {
    // what is searched for is asked each time
    if (search) return load({ ids, experimentIds: experiment_ids, search });
    if (kept.current.key !== key) {
      const asked = { key, answer: load({ ids, experimentIds: experiment_ids }) };
      kept.current = asked;
      asked.answer.catch(() => { if (kept.current === asked) kept.current = { key: "", answer: null }; });
    }
    return kept.current.answer;
  };
}
