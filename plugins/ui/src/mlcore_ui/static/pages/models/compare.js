// Versions side by side: what their runs measured, what they take, what they need.
import { html } from "../../lib/html.js";
import { href, setQuery } from "../../lib/url.js";
import { number, time } from "../../lib/format.js";
import { useLoad } from "../../lib/load.js";
import { ErrorCard } from "../../components/errorcard.js";
import { describe, getRun, getVersion, ownTags } from "./registry.js";
import { requirementRows, signatureRows } from "./signature.js";

const MOST = 10;

/** @param {{name: string, versions: any[], chosen: string, only: boolean}} props chosen: numbers with commas between */
export function Compare({ name, versions, chosen, only }) {
  const numbers = chosen ? [...new Set(chosen.split(","))].filter((one) => /^\d+$/.test(one)).slice(0, MOST) : versions.slice(0, 2).map((one) => one.version);
  const key = `compare:${name}:${numbers.join(",")}`;
  const { data, error, again } = useLoad(key, async (signal) => ({ key, found: await Promise.all(numbers.map((one) => everythingOf(name, one, signal))) }));
  const set = (list) => setQuery({ versions: list.join(",") });
  const left = versions.filter((one) => !numbers.includes(one.version));
  return html`
    <div class="bar"><label>Add <select value="" disabled=${numbers.length >= MOST || !left.length} onChange=${(event) => { if (event.currentTarget.value) set([...numbers, event.currentTarget.value]); }}>
        <option value="">version…</option>${left.map((one) => html`<option value=${one.version}>version ${one.version}</option>`)}</select></label>
      <label class="check"><input type="checkbox" checked=${only} onChange=${() => setQuery({ all: only ? "1" : null })} /> only differences</label></div>
    ${error && html`<${ErrorCard} error=${error} onAgain=${again} />`}
    ${numbers.length < 2 && html`<p class="muted">Choose two versions or more.</p>`}
    ${!error && data?.key !== key && html`<p class="muted">Loading…</p>`}
    ${data?.key === key && data.found.length > 1 && html`<${Table} name=${name} found=${data.found} only=${only} onDrop=${(one) => set(numbers.filter((other) => other !== one))} />`}`;
}

async function everythingOf(name, number, signal) {
  const version = await getVersion(name, number, signal);
  // a run that was deleted, or files that are gone, leave their rows empty
  const quiet = (error) => { if (error.name === "AbortError") throw error; return { missing: error.message }; };
  const [run, model] = await Promise.all([
    version.run_id ? getRun(version.run_id, signal).catch(quiet) : { missing: "no source run" },
    describe(name, number, signal).catch(quiet),
  ]);
  return { version, run, model };
}

function Table({ name, found, only, onDrop }) {
  const sections = [
    ["Version", found.map(({ version }) => new Map([["stage", version.current_stage], ["aliases", (version.aliases ?? []).join(", ")], ["created", time(version.creation_timestamp)], ["by", version.user_id ?? ""], ["run", version.run_id]]))],
    ["Metrics of the source runs", found.map(({ run }) => new Map((run.data?.metrics ?? []).map(({ key, value }) => [key, value])))],
    ["Params of the source runs", found.map(({ run }) => new Map((run.data?.params ?? []).map(({ key, value }) => [key, value])))],
    ["Signature", found.map(({ model }) => signatureRows(model.signature))],
    ["Requirements", found.map(({ model }) => new Map(/** @type {[string, any][]} */ ([...(model.python_version ? [["python", model.python_version]] : []), ...requirementRows(model.requirements)])))],
    ["Flavors", found.map(({ model }) => new Map((model.flavors ?? []).map((one) => [one.name, "yes"])))],
    ["Tags", found.map(({ version }) => new Map(Object.entries(ownTags(version.tags))))],
  ];
  const problems = found.flatMap(({ version, run, model }) => [run.missing, model.missing].filter(Boolean).map((text) => `version ${version.version}: ${text}`));
  const shown = sections.map(([title, columns]) => [title, rowsOf(columns, only)]).filter(([, rows]) => rows.length);
  return html`<div class="scroll"><table class="plain compare">
    <thead><tr><th><span class="offscreen">What</span></th>${found.map(({ version }) => html`<th key=${version.version} scope="col"><a href=${href(`models/${name}/${version.version}`)}>Version ${version.version}</a>
      ${found.length > 2 && html` <button class="plain" aria-label=${`Leave version ${version.version} out`} onClick=${() => onDrop(version.version)}>✕</button>`}</th>`)}</tr></thead>
    ${shown.map(([title, rows]) => html`<tbody key=${title}><tr><th class="section" scope="rowgroup" colspan=${found.length + 1}>${title}</th></tr>
      ${rows.map(({ name: row, values, differs }) => html`<tr key=${row} class=${differs ? "differs" : ""}><th scope="row">${row}</th>${values.map((value, at) => html`<td key=${at}>${cell(value)}</td>`)}</tr>`)}</tbody>`)}
  </table></div>
  ${!shown.length && html`<p class="muted">They do not differ.</p>`}
  ${problems.length > 0 && html`<ul class="muted">${problems.map((text) => html`<li>${text}</li>`)}</ul>`}`;
}

/** The rows of some columns by name. @param {Map<string, any>[]} columns @param {boolean} only those that differ */
export function rowsOf(columns, only) {
  const names = [...new Set(columns.flatMap((one) => [...one.keys()]))];
  return names.map((name) => {
    const values = columns.map((one) => one.get(name));
    return { name, values, differs: new Set(values.map((value) => String(value ?? ""))).size > 1 };
  }).filter((row) => row.differs || !only);
}

function cell(value) {
  if (value === undefined || value === "") return html`<span class="muted">–</span>`;
  return typeof value === "number" ? number(value) : String(value);
}
