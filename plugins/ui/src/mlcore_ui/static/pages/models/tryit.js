// Try a model that is served somewhere: a form of the signature makes the request that a terminal sends.
// The page itself asks this server alone, and this server asks only the addresses that its operator named for the model:
// whoever could make it ask any address could reach what lies behind it.
import { html, useMemo, useState } from "../../lib/html.js";
import { count } from "../../lib/format.js";
import { useLoad } from "../../lib/load.js";
import { Snippet } from "../../components/copy.js";
import { panel } from "../../components/panel.js";
import { shell } from "./snippets.js";
import { typeText } from "./signature.js";

const KEY = "mlcore.served";
const NUMBERS = new Set(["integer", "long", "float", "double"]);

export default panel(TryIt);

function TryIt({ name, version, may, files, get, post }) {
  const { data: model } = useLoad(`described:${name}:${version}`, () => files.model(""));
  return html`<${Form} key=${model ? "known" : ""} model=${model ?? {}} name=${name} edits=${may.includes("edit")} get=${get} post=${post} />`;
}

/** @param {{model: any, name: string, edits: boolean, get: any, post: any}} props model: its description. edits: whether the person may have this server ask */
function Form({ model, name, edits, get, post }) {
  const { data: found } = useLoad(`served:${name}:${edits}`, async (signal) => (edits ? get("api/ui/1/models:served", { name }, signal) : { servers: [] }));
  const servers = found?.servers ?? [];
  const [chosen, setChosen] = useState("");
  const asked = servers.includes(chosen) ? chosen : servers[0];
  const [typedPlace, setPlace] = useState(localStorage.getItem(KEY) ?? "http://127.0.0.1:5001");
  const place = asked ?? typedPlace;
  const columns = columnsOf(model.signature);
  const params = model.signature?.params ?? [];
  const example = useMemo(() => exampleOf(model.input_example, columns), [model]);
  const [typed, setTyped] = useState({});
  const [given, setGiven] = useState({});
  const [raw, setRaw] = useState(null);
  const served = servedAt(place);
  const values = columns?.map((one) => typed[one.name] ?? example.row[one.name] ?? "");
  const { body, wrong } = columns ? ofColumns(columns, values) : ofText(raw ?? example.text);
  const own = params.filter((one) => given[one.name]);
  const whole = body && own.length ? { ...body, params: Object.fromEntries(own.map((one) => [one.name, valueOf(one, given[one.name]).value])) } : body;
  const code = `curl -s ${served ? shell(`${served}/invocations`) : "ADDRESS/invocations"} -H 'Content-Type: application/json' \\
  -d ${shell(JSON.stringify(whole ?? {}))}`;
  return html`<div class="tryit">
    ${asked ? html`<label>Scoring server<select class="wide" value=${asked} onChange=${(event) => setChosen(event.currentTarget.value)}>${servers.map((one) => html`<option key=${one} value=${one} selected=${one === asked}>${one}</option>`)}</select></label>`
    : html`<p class="muted">${edits ? "This server sends the request by itself to scoring servers that its operator names with --scoring-server; none is named for this model."
    : "Who may edit the model can have this server send the request, where its operator names a scoring server."}</p>
    <label>Address of the scoring server<input class="wide" type="url" spellcheck=${false} value=${place} aria-invalid=${!served} onInput=${(event) => {
      setPlace(event.currentTarget.value);
      if (servedAt(event.currentTarget.value)) localStorage.setItem(KEY, event.currentTarget.value);
    }} /></label>`}
    ${!asked && (served ? html`<p><a href=${`${served}/docs`} target="_blank" rel="noopener noreferrer">Try it on the scoring server's own page</a> (${served}/docs), or send this from a terminal:</p>`
    : html`<p class="wrong" role="alert">an address begins with http:// or https://</p>`)}
    ${columns && html`<fieldset><legend>One row</legend><div class="fields">${columns.map((one, at) => html`<label key=${one.name}>${one.name} <code class="muted">${typeText(one)}${one.required === false ? ", optional" : ""}</code>
      <${Field} one=${one} value=${values[at]} onInput=${(value) => setTyped((old) => ({ ...old, [one.name]: value }))} /></label>`)}</div></fieldset>`}
    ${!columns && html`<label>Body, as JSON<textarea class="wide code" rows="6" spellcheck=${false} aria-invalid=${Boolean(wrong)} value=${raw ?? example.text} onInput=${(event) => setRaw(event.currentTarget.value)}></textarea></label>`}
    ${params.length > 0 && html`<fieldset><legend>Params (empty: the default)</legend><div class="fields">${params.map((one) => html`<label key=${one.name}>${one.name} <code class="muted">${typeText(one)} = ${JSON.stringify(one.default ?? null)}</code>
      <${Field} one=${one} value=${given[one.name] ?? ""} onInput=${(value) => setGiven((old) => ({ ...old, [one.name]: value }))} /></label>`)}</div></fieldset>`}
    ${wrong && html`<p class="wrong" role="alert">${wrong}</p>`}
    ${asked && html`<${Ask} post=${post} name=${name} server=${asked} body=${wrong || !whole ? null : JSON.stringify(whole)} />`}
    <${Snippet} code=${code} label="Copy the request" /></div>`;
}

/** Send the request, and show what came back. */
function Ask({ name, server, body, post }) {
  const [state, setState] = useState({ busy: false, answer: null, error: "" });
  const send = async () => {
    setState((old) => ({ ...old, busy: true }));
    try {
      setState({ busy: false, answer: await post("api/ui/1/models:ask", { name, server, body }), error: "" });
    } catch (error) {
      setState({ busy: false, answer: null, error: error.message });
    }
  };
  const { busy, answer, error } = state;
  const good = answer && answer.status < 300;
  return html`<p class="bar"><button class="primary" disabled=${busy || body === null} onClick=${send}>${busy ? "Asking…" : "Ask"}</button></p>
    <section class="answer" aria-label="Answer" aria-live="polite">
      ${error && html`<p class="wrong" role="alert">${error}</p>`}
      ${answer && html`<p><span class=${`chip ${good ? "" : "failed"}`}>${answer.status}</span> <span class="muted">${count(answer.took_ms)} ms${answer.status >= 300 && answer.status < 400 ? " · a redirect, which is not followed" : ""}${answer.truncated ? " · the beginning of the answer" : ""}</span></p>
        <pre class=${`config ${good ? "" : "wrong"}`} tabindex="0">${pretty(answer.body)}</pre>`}</section>`;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 1);
  } catch {
    return text;
  }
}

function Field({ one, value, onInput }) {
  if (one.type === "boolean") {
    return html`<select class="wide" value=${value} onChange=${(event) => onInput(event.currentTarget.value)}><option value=""></option><option>true</option><option>false</option></select>`;
  }
  return html`<input class="wide" inputmode=${NUMBERS.has(one.type) ? "decimal" : undefined} value=${value} onInput=${(event) => onInput(event.currentTarget.value)} />`;
}

/** The columns with names; null when the input is something else. */
function columnsOf(signature) {
  const inputs = signature?.inputs;
  return inputs?.length && inputs.every((one) => one.name !== undefined && one.type !== "tensor") ? inputs : null;
}

/** The address without a slash at its end; "" when it is none. @param {string} place */
export function servedAt(place) {
  try {
    const url = new URL(place);
    return ["http:", "https:"].includes(url.protocol) && !url.username && !url.password ? url.origin + url.pathname.replace(/\/+$/, "") : "";
  } catch {
    return "";
  }
}

/** The body of a request with one row. @returns {{body: any, wrong: string}} */
export function ofColumns(columns, values) {
  const found = columns.map((one, at) => valueOf(one, values[at]));
  return {
    body: { dataframe_split: { columns: columns.map((one) => one.name), data: [found.map((one) => one.value)] } },
    wrong: found.map((one) => one.wrong).filter(Boolean).join("; "),
  };
}

/** What a typed text means as a value of a type. @returns {{value: any, wrong: string}} */
export function valueOf(one, text) {
  if (text === "" && one.type !== "string") return { value: null, wrong: one.required === false || one.default !== undefined ? "" : `${one.name} is empty` };
  if (one.shape || !["string", "boolean", "datetime", "binary"].includes(one.type)) {
    if (!one.shape && NUMBERS.has(one.type)) {
      const value = Number(text);
      return Number.isFinite(value) ? { value, wrong: "" } : { value: null, wrong: `${one.name} is no number: ${text}` };
    }
    try {
      return { value: JSON.parse(text), wrong: "" };
    } catch {
      return { value: null, wrong: `${one.name} is no JSON: ${text}` };
    }
  }
  return { value: one.type === "boolean" ? text === "true" : text, wrong: "" };
}

function ofText(text) {
  try {
    return { body: JSON.parse(text), wrong: "" };
  } catch (error) {
    return { body: null, wrong: `that is no JSON: ${error.message}` };
  }
}

/** The input example as a row of texts, and as the body of a request. */
function exampleOf(text, columns) {
  const nothing = { row: {}, text: '{"inputs": []}' };
  if (!text) return nothing;
  let found;
  try {
    found = JSON.parse(text);
  } catch {
    return nothing;
  }
  const split = found.dataframe_split ?? (Array.isArray(found.columns) && found.data ? found : null);
  const body = split ? { dataframe_split: { columns: split.columns, data: split.data } } : ["inputs", "instances", "dataframe_records"].some((key) => key in found) ? found : { inputs: found };
  return { row: rowOf(found, split, columns ?? []), text: JSON.stringify(body, null, 1) };
}

function rowOf(found, split, columns) {
  const shown = (value) => (value === null || value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value));
  if (split) return Object.fromEntries(split.columns.map((name, at) => [name, shown(split.data[0]?.[at])]));
  const first = Array.isArray(found) ? found[0] : found.dataframe_records?.[0] ?? found.inputs ?? found;
  const record = first && typeof first === "object" ? first : {};
  return Object.fromEntries(columns.filter((one) => one.name in record).map(({ name, type }) => {
    const value = record[name];
    return [name, shown(Array.isArray(value) && type !== "array" ? value[0] : value)];
  }));
}
