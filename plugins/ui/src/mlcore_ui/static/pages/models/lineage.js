// From where a version comes, and what it serves as: what the run read, the run, its model, the versions of it, their names.
import { html } from "../../lib/html.js";
import { href } from "../../lib/url.js";
import { short } from "../../lib/format.js";
import { useLoad } from "../../lib/load.js";
import { seenExperiment } from "../../lib/experiments.js";
import { Status } from "../../components/status.js";
import { AliasChip, StageChip } from "./chips.js";
import { Graph } from "./graph.js";
import { getRun, versionsOfRun } from "./registry.js";

const MOST = 8;

/** @param {{version: any, run: any, logged?: string}} props run: null while it is not known, {missing} when it cannot be seen */
export function Lineage({ version, run, logged }) {
  const info = run?.info;
  const parentId = (run?.data?.tags ?? []).find((one) => one.key === "mlflow.parentRunId")?.value;
  const { data: experiment } = useLoad(`experiment:${info?.experiment_id ?? ""}`, async (signal) => (info ? seenExperiment(info.experiment_id, signal) : null));
  const { data: parent } = useLoad(`parent:${parentId ?? ""}`, async (signal) => (parentId ? getRun(parentId, signal) : null));
  const { data: found } = useLoad(`siblings:${version.run_id}`, async (signal) => (version.run_id ? versionsOfRun(version.run_id, signal) : []));
  const others = (found ?? []).filter((one) => one.name !== version.name || one.version !== version.version);
  const versions = [version, ...others.slice(0, MOST)];
  const inputs = inputsOf(run?.inputs?.dataset_inputs ?? []);
  const before = [...(parentId ? [{ id: "parent", kind: "parent run", title: parentId, shown: html`<a href=${href(`runs/${parentId}`)}>${parent?.info.run_name || short(parentId, 14)}</a>` }] : []), ...inputs.slice(0, MOST)];
  const names = versions.flatMap(namesOf);
  const source = logged ? "logged" : "run";
  const columns = [
    { name: "comes from", nodes: before, more: Math.max(0, inputs.length - MOST) },
    { name: "run", nodes: [{ id: "run", kind: "run", title: version.run_id, shown: runShown({ version, run, experiment }) }] },
    { name: "logged model", nodes: logged ? [{ id: "logged", kind: "logged model", title: logged, shown: loggedShown(version, logged) }] : [] },
    { name: others.length ? "versions" : "version", more: Math.max(0, others.length - MOST), nodes: versions.map((one) => ({
      id: idOf(one), kind: one === version ? "this" : "of the same run", current: one === version, title: `${one.name} ${one.version}`,
      shown: one === version ? html`<strong>${one.name} ${one.version}</strong>` : html`<a href=${href(`models/${one.name}/${one.version}`)}>${one.name} ${one.version}</a>`,
    })) },
    { name: "serves as", nodes: names.length ? names : [{ id: "nothing", kind: "serves as", shown: html`<span class="muted">nothing yet</span>` }] },
  ];
  const edges = /** @type {[string, string][]} */ ([
    ...before.map((one) => [one.id, "run"]), ...(logged ? [["run", "logged"]] : []),
    ...versions.map((one) => [source, idOf(one)]), ...names.map((one) => [one.of, one.id]),
  ]);
  return html`<${Graph} label="Lineage" columns=${columns} edges=${edges} />`;
}

function idOf(version) {
  return `version ${version.version} ${version.name}`;
}

function inputsOf(inputs) {
  return inputs.map(({ dataset, tags }, at) => {
    const used = (tags ?? []).find((one) => one.key === "mlflow.data.context")?.value;
    return { id: `dataset ${at}`, kind: used ? `dataset for ${used}` : "dataset", title: `${dataset.name} ${dataset.digest}`, shown: html`${dataset.name} <code class="muted">${dataset.digest}</code>` };
  });
}

/** What a version serves as: its aliases, and its stage. */
function namesOf(version) {
  const of = idOf(version);
  const aliases = (version.aliases ?? []).map((alias) => ({ id: `@${alias} ${of}`, of, kind: "alias", title: `models:/${version.name}@${alias}`, shown: html`<${AliasChip} name=${version.name} alias=${alias} />` }));
  if (!version.current_stage || version.current_stage === "None") return aliases;
  return [...aliases, { id: `stage ${of}`, of, kind: "stage", title: `${version.name} ${version.version}: ${version.current_stage}`, shown: html`<${StageChip} stage=${version.current_stage} />` }];
}

function runShown({ version, run, experiment }) {
  const { info } = run ?? {};
  if (!version.run_id) return html`<span class="muted">none is named</span>`;
  return html`<a href=${href(`runs/${version.run_id}`)}>${info?.run_name || short(version.run_id, 14)}</a>${info && html` <${Status} status=${info.status} />`}${run?.missing && html`<span class="muted">${run.missing}</span>`}
    ${info && html`<div><span class="kind">in</span> <a href=${href(`experiments/${info.experiment_id}`)}>${experiment?.name ?? info.experiment_id}</a></div>`}`;
}

function loggedShown(version, logged) {
  if (!version.run_id) return html`<code>${short(logged, 20)}</code>`;
  return html`<a href=${href(`runs/${version.run_id}/artifacts`, { model: logged })}><code>${short(logged, 20)}</code></a>`;
}
