// Code to read the run, and commands to make it again.
import { html, useState } from "../../lib/html.js";
import { Snippet } from "../../components/copy.js";
import { quoted, serverUri } from "../../components/viewers/modeluri.js";

/** @param {{run: import("./data.js").Run}} props */
export function Snippets({ run }) {
  const [of, setOf] = useState("mlcore");
  const again = commands(run);
  return html`<section class="part" aria-labelledby="code"><div class="bar"><h2 id="code">In code</h2><span class="grow"></span>
      <div class="choice" role="group" aria-label="Library">${["mlcore", "mlflow"].map((name) => html`<button aria-pressed=${of === name} onClick=${() => setOf(name)}>${name === "mlflow" ? "MLflow" : name}</button>`)}</div></div>
    <${Snippet} code=${reading(run, of)} label="Copy the code that reads the run" />
    ${again && html`<h3>Make it again</h3><${Snippet} code=${again} label="Copy the commands" />
      ${run.tags.get("mlflow.source.git.dirty") === "true" && html`<p class="muted">There were changes that are in no commit: they will be missing.</p>`}`}</section>`;
}

function reading(run, library) {
  const root = run.info.run_id;
  return `import ${library}

${library}.set_tracking_uri(${quoted(serverUri())})
run = ${library}.get_run(${quoted(root)})
print(run.data.params, run.data.metrics)
folder = ${library}.artifacts.download_artifacts(run_id=${quoted(root)}, artifact_path="")
`;
}

function commands(run) {
  const { tags } = run;
  // tags can be set by anybody: what is no commit and no address of a repository gets into no command
  const commit = fits(tags.get("mlflow.source.git.commit"), /^[0-9a-f]{7,64}$/i);
  const repo = fits(tags.get("mlflow.source.git.repoURL"), /^(https?:\/\/|ssh:\/\/|git:\/\/|file:\/\/|[\w.-]+@[\w.-]+:|\/)[^\s-]/);
  const name = tags.get("mlflow.source.name") ?? "";
  const lines = [];
  if (repo && commit) lines.push(`git clone ${shell(repo)} again`, "cd again");
  if (commit) lines.push(`git checkout --detach ${shell(commit)}`);
  if (/\.py$/.test(name)) lines.push(`python ${shell((name.split(/[\\/]/).pop() ?? name).replace(/^-/, "./-"))}`);
  return lines.length > 0 && (commit || lines.length > 1) ? `${lines.join("\n")}\n` : "";
}

function fits(text, shape) {
  return text && shape.test(text) ? text : "";
}

/** One word of a shell's command, whatever it holds. @param {string} text */
export function shell(text) {
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "");
  return /^[\w@%+=:,./][\w@%+=:,./-]*$/.test(clean) ? clean : `'${clean.replace(/'/g, "'\\''")}'`;
}
