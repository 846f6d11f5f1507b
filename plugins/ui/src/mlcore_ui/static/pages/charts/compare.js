// Runs side by side: what differs, and how params and metrics hang together.
import { html, useMemo, useState } from "../../lib/html.js";
import { Empty } from "../../components/empty.js";
import { ErrorCard } from "../../components/errorcard.js";
import { useComparison } from "./comparison.js";
import { DiffTable } from "./difftable.js";
import { Parallel } from "./parallel.js";
import { Scatter } from "./scatter.js";
import { BoxPlot } from "./boxplot.js";
import { Contour } from "./contour.js";

const VIEWS = {
  diff: ["Differences", DiffTable], parallel: ["Parallel coordinates", Parallel], scatter: ["Scatter", Scatter],
  box: ["Box plot", BoxPlot], contour: ["Contour", Contour],
};

/**
 * The ways to compare. Keys of the query that it owns: compare (which way), same, axes, px, py, pc.
 * @param {{runs: {run_id: string, name: string, color: string}[], experimentIds: string[], query: Record<string, string>,
 *   onQuery: (changes: Record<string, string|null>, more?: {replace?: boolean}) => void,
 *   hovered?: string|null, onHover?: (id: string|null) => void, onSelect?: (ids: string[]) => void, revision?: any}} props
 *   experimentIds: where the runs are. onSelect: what to do with runs picked by ranges; nothing is offered without it
 */
export function Compare({ runs, experimentIds, query, onQuery, hovered, onHover, onSelect, revision }) {
  const [own, setOwn] = useState(null);
  const { data, error, again } = useComparison({ runs, experimentIds, revision });
  // runs of an address are known by their ids alone until the table has answered
  const named = useMemo(() => runs.slice(0, 1000).map((run) => ({ ...run, name: data?.names.get(run.run_id) ?? run.name })), [data, runs.map((run) => run.run_id).join()]);
  if (runs.length < 2) return html`<${Empty} title="Nothing to compare yet" note="Select two runs or more in the table." />`;
  const now = VIEWS[query.compare] ? query.compare : "diff";
  const View = VIEWS[now][1];
  // while other runs are being asked for, the values of the old ones would stand at the wrong names
  const ready = data?.of === named.map((run) => run.run_id).join();
  return html`<section class="compare" aria-label="Compare">
    <div class="bar" role="group" aria-label="Ways to compare">${Object.entries(VIEWS).map(([id, [text]]) => html`<button key=${id} class=${id === now ? "on" : ""} aria-pressed=${id === now}
      onClick=${() => onQuery({ compare: id === "diff" ? null : id })}>${text}</button>`)}<span class="muted">${runs.length} runs</span></div>
    ${error && html`<${ErrorCard} error=${error} title="The runs could not be compared" onAgain=${again} />`}
    ${!ready && !error && html`<p class="muted">Loading…</p>`}
    ${ready && html`<${View} key=${now} runs=${named} columns=${data.columns} more=${data.more} query=${query} onQuery=${onQuery}
      hovered=${onHover ? hovered ?? null : own} onHover=${onHover ?? setOwn} onSelect=${onSelect} />`}
  </section>`;
}
