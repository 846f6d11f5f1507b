// The charts of a run: loaded when they are shown, as they bring a library of their own.
import { html, useEffect, useState } from "../../lib/html.js";
import { Empty } from "../../components/empty.js";
import { ErrorCard } from "../../components/errorcard.js";

/** @param {{runs: object[], keys: string[], query: object, onQuery: Function, revision: number, live: boolean}} props */
export function Charts(props) {
  const [state, setState] = useState({ charts: null, error: null });
  useEffect(() => {
    let wanted = true;
    import("../charts/metriccharts.js").then((module) => { if (wanted) setState({ charts: module.MetricCharts, error: null }); }, (error) => { if (wanted) setState({ charts: null, error }); });
    return () => { wanted = false; };
  }, []);
  if (!props.keys.length) return html`<${Empty} title="No metrics here" note="What the run measures shows here while it runs." />`;
  if (state.error) return html`<${ErrorCard} error=${state.error} title="The charts cannot be loaded" />`;
  return state.charts ? html`<${state.charts} ...${props} />` : html`<p class="muted">Loading…</p>`;
}
