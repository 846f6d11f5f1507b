// The files of a run, and of the models that it logged.
import { html, useMemo } from "../../lib/html.js";
import { href, navigate, setQuery } from "../../lib/url.js";
import { ArtifactBrowser } from "../../components/viewers/browser.js";
import { quoted } from "../../components/viewers/modeluri.js";
import { Empty } from "../../components/empty.js";
import { Snippet } from "../../components/copy.js";

/** @param {{run: import("./data.js").Run, path: string, query: Record<string, string>}} props */
export function Files({ run, path, query }) {
  const { run_id } = run.info;
  const model = query.model ?? "";
  const place = useMemo(() => (model ? { model_id: model } : { run_id }), [run_id, model]);
  const tables = useMemo(() => logged(run.tags.get("mlflow.loggedArtifacts")), [run]);
  const kept = model ? { model } : {};
  const to = (file) => ["runs", run_id, "artifacts", ...(file ? [file] : [])].join("/");
  return html`${run.models.length > 0 && html`<div class="bar"><label class="check">Files of <select value=${model} onChange=${(event) => navigate(`runs/${run_id}/artifacts`, { query: { model: event.currentTarget.value || null } })}>
      <option value="" selected=${!model}>the run</option>${run.models.map((one) => html`<option key=${one.model_id} value=${one.model_id} selected=${model === one.model_id}>model ${one.model_id}</option>`)}</select></label></div>`}
    <${ArtifactBrowser} place=${place} path=${path} hrefOf=${(file) => href(to(file), kept)} onPath=${(file, more) => navigate(to(file), { query: { ...kept, view: more?.replace ? query.view : undefined }, ...more })}
      view=${query.view} onView=${(view) => setQuery({ view }, { replace: true })} tables=${tables}
      empty=${html`<${Empty} title="No files yet" note="What the run logs as artifacts shows here."><${Snippet} code=${`import mlcore\n\nwith mlcore.start_run(run_id=${quoted(run_id)}):\n    mlcore.log_artifact("plot.png")\n`} /><//>`} />`;
}

/** The paths of what log_table wrote. */
function logged(text) {
  try {
    return new Set(JSON.parse(text ?? "[]").filter((one) => one?.type === "table").map((one) => String(one.path)));
  } catch {
    return new Set();
  }
}
