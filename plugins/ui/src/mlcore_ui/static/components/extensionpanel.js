// A panel of a plugin: its module, a sandboxed frame with it, or blocks made by Python. One that fails shows a card.
import { html, useEffect, useLayoutEffect, useRef, useState } from "../lib/html.js";
import { api, address } from "../lib/api.js";
import { href, navigate, route, setQuery } from "../lib/url.js";
import { start } from "../lib/start.js";
import { theme } from "../lib/theme.js";
import { runColor } from "../lib/colors.js";
import { number } from "../lib/format.js";
import { ErrorCard } from "./errorcard.js";
import { Lazy } from "./lazy.js";

const blocks = () => import("./blocks.js");

/**
 * @param {{extension: import("../lib/extensions.js").Extension, context: Context, offers?: Offers, look?: string}} props
 * offers: functions for the context. look: a class of the element that it is mounted in.
 *
 * @typedef {{run_id: string, name?: string, color: string}} DrawnRun
 * @typedef {{run_ids?: string[], runs?: DrawnRun[], first?: DrawnRun[], experiment_id?: string, experiment_ids?: string[], name?: string, version?: string,
 *   aliases?: string[], stage?: string, may?: string[], matched?: string[], params?: Record<string, string>, revision?: number, live?: boolean, file?: object, can?: object, [more: string]: any}} Context
 * @typedef {{files?: import("./viewers/files.js").Files, hovered?: {value: string|null}, select?: (ids: string[]) => void,
 *   compared?: () => Promise<any>, setParams?: (changes: Record<string, string|null>, more?: {replace?: boolean}) => void}} Offers
 */
export function ExtensionPanel({ extension, context, offers, look = "" }) {
  // a cell of a table is not about the address, and there are many
  const whole = extension.kind === "column_renderer" ? context : { params: route.value.query, ...context };
  const of = `${extension.id} ${aboutOf(extension, whole)}`;
  const [failed, setFailed] = useState({ of: "", error: null });
  // what is shown next has not failed yet
  if (failed.of === of && extension.kind === "column_renderer") return html`<${Plain} extension=${extension} value=${context.value} error=${failed.error} />`;
  if (failed.of === of) return html`<${ErrorCard} error=${failed.error} title=${`“${extension.title}” failed`} onAgain=${() => setFailed({ of: "", error: null })} />`;
  if (extension.blocks) return html`<${Lazy} key=${extension.id} load=${blocks} name="BlocksPanel" props=${{ extension, context }} />`;
  const Shown = extension.isolate ? Isolated : Mounted;
  return html`<${Shown} key=${extension.id} extension=${extension} context=${whole} offers=${offers} look=${look} onFail=${(error) => setFailed({ of, error })} />`;
}

/** @type {Map<string, any>} modules that are there, by address */
const modules = new Map();

/** Load the module of a panel that is about to be looked at. @param {import("../lib/extensions.js").Extension} extension */
export async function loaded({ module, isolate }) {
  if (!module || isolate) return undefined;
  const found = await import(module);
  modules.set(module, found);
  return found;
}

/** A cell whose renderer failed: the value as it would be without one, and a mark that tells why. */
function Plain({ extension, value, error }) {
  const why = `“${extension.title}” failed: ${error.message ?? error}`;
  return html`<span title=${value}>${typeof value === "number" ? number(value) : String(value)}</span> <span class="cell-failed" role="img" aria-label=${why} title=${why}>⚠</span>`;
}

/** What a panel is about, as a text; of a page the address is a part of it. @param {import("../lib/extensions.js").Extension} extension @param {Context} context */
function aboutOf(extension, { params, runs, first, revision, live, matched, ...about }) {
  return JSON.stringify(extension.kind === "page" ? { ...about, params } : about) + theme.value;
}

/** What changes while the same thing is shown, as a text: a panel that cannot follow stays as it is. @param {Context} context */
function changesOf({ params, runs, first, revision, live, matched }) {
  return JSON.stringify([params, runs, first, revision, live, matched]);
}

function plain(context) {
  const runs = (context.run_ids ?? []).map((id) => ({ run_id: id, color: runColor(id) }));
  return { api: 1, runs, params: {}, ...context, theme: theme.value };
}

function full(context, offers, onFail) {
  return {
    ...plain(context),
    get: api.get,
    post: api.post,
    fetch: (path, init) => fetch(address(path), { ...init, headers: { ...init?.headers, "x-mlcore-ui": "1" }, credentials: "same-origin" }),
    bytes: api.bytes,
    navigate,
    href,
    setParams: setQuery,
    /** Show the card of a panel that failed, for what goes wrong later than in mount and update. */
    fail: onFail,
    /** Draw a text in Markdown; HTML in it stays text. */
    markdown: async (element, text) => {
      const [{ render }, { Markdown }] = await Promise.all([import("../lib/html.js"), import("./markdown.js")]);
      render(html`<${Markdown} text=${text} />`, element);
    },
    /** Draw a line chart: {x: number[], series: {name: number[]}, title, x_label}. */
    lineChart: async (element, spec) => {
      const [{ render }, { LineBlock }] = await Promise.all([import("../lib/html.js"), import("./blocks.js")]);
      render(html`<${LineBlock} ...${spec} />`, element);
    },
    ...offers,
  };
}

/** Let a panel follow; it may do so by and by, and fail then. */
async function follow(made, context, offers, fail) {
  try { await made.update(full(context, offers, fail)); } catch (error) { fail(error); }
}

function Mounted({ extension, context, offers, look = "", onFail }) {
  const element = useRef(null);
  const shown = useRef(null);
  const [turn, setTurn] = useState(0);
  const about = aboutOf(extension, context);
  const changes = changesOf(context);
  const latest = useRef({ about, changes, context, offers, onFail });
  const before = useRef({ about, changes });
  latest.current = { about, changes, context, offers, onFail };
  // before the place is painted, so that one whose module is there follows another without a gap
  useLayoutEffect(() => {
    let wanted = true;
    const fail = (error) => { if (wanted) latest.current.onFail(error); };
    const keep = (made, given) => {
      if (!wanted) { made.unmount?.(); return; }
      shown.current = made;
      const now = latest.current;
      if (made.update && (now.about !== given.about || now.changes !== given.changes)) follow(made, now.context, now.offers, fail);
    };
    const begin = (module) => {
      if (module.default?.api !== 1) throw new Error(`speaks version ${module.default?.api} of the contract of panels; this page speaks 1`);
      if (!wanted) return undefined;
      const given = latest.current;
      const made = module.default.mount(element.current, full(given.context, given.offers, fail));
      return typeof made?.then === "function" ? made.then((one) => keep(one ?? {}, given)) : keep(made ?? {}, given);
    };
    const there = modules.get(extension.module);
    if (there) {
      try { begin(there)?.catch(fail); } catch (error) { fail(error); }
    } else {
      loaded(extension).then(begin).catch(fail);
    }
    return () => {
      wanted = false;
      try { shown.current?.unmount?.(); } catch (error) { console.warn(`${extension.id}: ${error}`); }
      shown.current = null;
    };
  }, [extension.module, turn]);
  useLayoutEffect(() => {
    const was = before.current;
    if (was.about === about && was.changes === changes) return;
    before.current = { about, changes };
    if (!shown.current) return;
    if (!shown.current.update) {
      // one that cannot follow begins again
      if (was.about !== about) setTurn((old) => old + 1);
      return;
    }
    const made = shown.current;
    follow(made, context, offers, (error) => shown.current === made && onFail(error));
  }, [about, changes]);
  return html`<div key=${turn} class=${`extension ${look}`} ref=${element}></div>`;
}

// what a frame may ask for in its person's name: to read
const READABLE = {
  get: /^(api\/ui\/1\/(manifest|changes|search|views|experiments:list|artifacts:(list|table|data)|models:describe)|ajax-api\/2\.0\/mlflow\/(runs\/(get|search)|metrics\/(get-history|get-history-bulk-interval)|experiments\/(get|get-by-name|search)|artifacts\/list|registered-models\/(get|search|alias|history|get-latest-versions)|model-versions\/(get|search)))$/,
  post: /^(api\/ui\/1\/(runs:table|runs:facets|metrics:summary|metrics:series|may)|ajax-api\/2\.0\/mlflow\/(runs\/(search|facets|count)|experiments\/search|registered-models\/get-latest-versions))$/,
};

// what a frame may do with the files of its place; addresses of files are of no use to it
const LENT = ["read", "text", "list", "table", "data", "model", "open"];
const MOST_BYTES = 8 << 20;

function lentNames(offers) {
  return LENT.filter((name) => offers?.files?.[name]);
}

function lent(files, name, [path, ...more]) {
  const at = String(path);
  if (name === "read") return files.read(at, Number(more[0]) || 0, Math.min(MOST_BYTES, Number(more[1]) || MOST_BYTES));
  if (name === "text") return files.text(at, Math.min(MOST_BYTES, Number(more[0]) || MOST_BYTES));
  if (name === "list") return files.list(at, { token: more[0]?.token });
  if (name === "table") return files.table(at, { offset: Number(more[0]?.offset) || 0, limit: Number(more[0]?.limit) || 100 });
  if (name === "data") return files.data(at);
  return name === "open" ? files.open(at, { replace: Boolean(more[0]?.replace) }) : files.model(at);
}

function Isolated({ extension, context, offers, onFail }) {
  const frame = useRef(null);
  const [height, setHeight] = useState(160);
  const about = aboutOf(extension, context);
  const key = about + changesOf(context);
  const show = () => frame.current?.contentWindow.postMessage(
    { mlcore: "show", module: new URL(extension.module, location.href).href, about, context: plain(context), files: lentNames(offers) }, "*");
  useEffect(() => {
    const onMessage = async ({ source, data }) => {
      if (source !== frame.current?.contentWindow || !data) return;
      if (data.mlcore === "ready") show();
      else if (data.mlcore === "height") setHeight(Math.min(4000, Math.max(40, Number(data.height) || 0)));
      else if (data.mlcore === "failed") onFail(new Error(String(data.message)));
      else if (data.mlcore === "call") source.postMessage({ mlcore: "answer", id: data.id, ...(await answered(data, offers)) }, "*");
    };
    addEventListener("message", onMessage);
    return () => removeEventListener("message", onMessage);
  }, [extension.module, key]);
  useEffect(show, [key]);
  return html`<iframe ref=${frame} class="extension" sandbox="allow-scripts" title=${extension.title} src=${`${start.base}/frame`} style=${{ height: `${height}px` }}></iframe>`;
}

async function answered({ name, values }, offers) {
  try {
    const [path, body] = values;
    if (name === "navigate") { navigate(String(path)); return { value: null }; }
    if (name === "setParams") { (offers?.setParams ?? setQuery)(texts(path), { replace: Boolean(body?.replace) }); return { value: null }; }
    if (name.startsWith("files.") && lentNames(offers).includes(name.slice(6))) return { value: await lent(offers.files, name.slice(6), values) };
    if (!(name === "get" || name === "post") || !READABLE[name].test(path)) throw new Error(`an isolated panel may not ask for ${path}`);
    return { value: await api[name](path, name === "post" ? { ...body, accept: undefined } : body) };
  } catch (error) {
    return { error: error.message };
  }
}

function texts(changes) {
  return Object.fromEntries(Object.entries(changes ?? {}).map(([name, value]) => [name, value === null ? null : String(value)]));
}
