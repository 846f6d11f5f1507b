// A panel of a plugin: its module, a sandboxed frame with it, or blocks made by Python. One that fails shows a card.
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { api, address } from "../lib/api.js";
import { href, navigate } from "../lib/url.js";
import { start } from "../lib/start.js";
import { theme } from "../lib/theme.js";
import { runColor } from "../lib/colors.js";
import { ErrorCard } from "./errorcard.js";
import { BlocksPanel } from "./blocks.js";

/**
 * @param {{extension: import("../lib/extensions.js").Extension, context: {run_ids?: string[], experiment_id?: string, name?: string, version?: string, params?: object, file?: object, can?: object}, offers?: {files?: import("./viewers/files.js").Files}, look?: string}} props
 * offers: functions for the context. look: a class of the element that it is mounted in.
 */
export function ExtensionPanel({ extension, context, offers, look = "" }) {
  const [error, setError] = useState(null);
  useEffect(() => setError(null), [extension.id]);
  if (error) return html`<${ErrorCard} error=${error} title=${`“${extension.title}” failed`} onAgain=${() => setError(null)} />`;
  const Shown = extension.blocks ? BlocksPanel : extension.isolate ? Isolated : Mounted;
  return html`<${Shown} key=${extension.id} extension=${extension} context=${context} offers=${offers} look=${look} onFail=${setError} />`;
}

function plain(context) {
  const runs = (context.run_ids ?? []).map((id) => ({ run_id: id, color: runColor(id) }));
  return { api: 1, runs, params: {}, ...context, theme: theme.value };
}

function full(context, offers) {
  return {
    ...plain(context),
    get: api.get,
    post: api.post,
    fetch: (path, init) => fetch(address(path), { ...init, headers: { ...init?.headers, "x-mlcore-ui": "1" }, credentials: "same-origin" }),
    bytes: api.bytes,
    navigate,
    href,
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

export function Mounted({ extension, context, offers, look = "", onFail }) {
  const element = useRef(null);
  const shown = useRef(null);
  const [turn, setTurn] = useState(0);
  const key = JSON.stringify(context) + theme.value;
  const latest = useRef({ key, context });
  latest.current = { key, context };
  useEffect(() => {
    let wanted = true;
    import(extension.module)
      .then(async (module) => {
        if (module.default?.api !== 1) throw new Error(`speaks version ${module.default?.api} of the contract of panels; this page speaks 1`);
        if (!wanted) return;
        const given = latest.current;
        const made = (await module.default.mount(element.current, full(given.context, offers))) ?? {};
        if (!wanted) { made.unmount?.(); return; }
        shown.current = made;
        if (latest.current.key !== given.key) made.update?.(full(latest.current.context, offers));
      })
      .catch((error) => wanted && onFail(error));
    return () => {
      wanted = false;
      try { shown.current?.unmount?.(); } catch (error) { console.warn(`${extension.id}: ${error}`); }
      shown.current = null;
    };
  }, [extension.module, turn]);
  useEffect(() => {
    if (!shown.current) return;
    // one that cannot follow begins again
    if (!shown.current.update) { setTurn((old) => old + 1); return; }
    try { shown.current.update(full(context, offers)); } catch (error) { onFail(error); }
  }, [key]);
  return html`<div key=${turn} class=${`extension ${look}`} ref=${element}></div>`;
}

// what a frame may ask for in its person's name: to read
const READABLE = /^(api\/ui\/1\/(runs:table|runs:facets|metrics:summary|metrics:series|experiments:list|artifacts:list)|ajax-api\/2\.0\/mlflow\/(runs\/(get|search)|metrics\/get-history|experiments\/get|registered-models\/get|model-versions\/get))$/;

// what a frame may do with the files of its place; addresses of files are of no use to it
const LENT = ["read", "text", "list", "table", "data", "model", "open"];
const MOST_BYTES = 8 << 20;

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
  const key = JSON.stringify(context) + theme.value;
  const show = () => frame.current?.contentWindow.postMessage(
    { mlcore: "show", module: new URL(extension.module, location.href).href, context: plain(context), files: offers?.files ? LENT : [] }, "*");
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
    if (name.startsWith("files.") && offers?.files && LENT.includes(name.slice(6))) return { value: await lent(offers.files, name.slice(6), values) };
    if (!["get", "post"].includes(name) || !READABLE.test(path)) throw new Error(`an isolated panel may not ask for ${path}`);
    return { value: await api[name](path, name === "post" ? { ...body, accept: undefined } : body) };
  } catch (error) {
    return { error: error.message };
  }
}
