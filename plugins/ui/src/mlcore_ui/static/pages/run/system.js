// What the machine did while a run ran.
import { html, useMemo } from "../../lib/html.js";
import { Empty } from "../../components/empty.js";
import { panel } from "../../components/panel.js";
import { MetricCharts } from "../charts/metriccharts.js";

export default panel(System);

function System({ runs, matched, params, setParams, revision, live }) {
  const keys = useMemo(() => matched.map((column) => column.slice("metrics.".length)), [matched.join("\n")]);
  if (!keys.length) return html`<${Empty} title="No metrics here" note="What the run measures shows here while it runs." />`;
  return html`<${MetricCharts} runs=${runs} keys=${keys} query=${params} onQuery=${setParams} revision=${revision} live=${live} />`;
}
