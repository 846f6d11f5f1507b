// A panel of a plugin: its module, a sandboxed frame with it, or blocks made by Python. One that fails shows a card.
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { api, address } from "../lib/api.js";
import { navigate } from "../lib/url.js";
import { start } from "../lib/start.js";
import { theme } from "../lib/theme.js";
import { runColor } from "../lib/colors.js";
import { ErrorCard } from "./errorcard.js";
import { BlocksPanel } from "./blocks.js";

/**
 * @param {{extension: import("../lib/extensions.js").Extension, context: {run_ids?: string[], experiment_id?: string, name?: string, version?: string, params?: object, file?: object}}} props
 */
export function ExtensionPanel({ extension, context }) {
  const [error, setError] = useState(null);
  useEffect(() => setError(null), [extension.id]);
  if (error) return html`<${ErrorCard} error=${error} title=${`“${extension.title}” failed`} onAgain=${() => setError(null)} />`;
  const Shown = extension.blocks ? BlocksPanel : extension.isolate ? Isolated : Mounted;
  return html`<${Shown} key=${extension.id} extension=${extension} context=${context} onFail=${setError} />`;
}

function plain(context) {
  const runs = (context.run_ids ?? []).map((id) => ({ run_id: id, color: runColor(id) }));
  return { api: 1, runs, params: {}, ...context, theme: theme.value };
}

function full(context) {
  return {
    ...plain(context),
    get: api.get,
    post: api.post,
    fetch: (path, init) => fetch(address(path), { ...init, headers: { ...init?.headers, "x-mlcore-ui": "1" }, credentials: "same-origin" }),
    bytes: api.bytes,
    navigate,
    /** Draw a line chart: {x: number[], series: {name: number[]}, title, x_label}. */
    lineChart: async (element, spec) => {
      const [{ render }, { LineBlock }] = await Promise.all([import("../lib/html.js"), import("./blocks.js")]);
      render(html`<${LineBlock} ...${spec} />`, element);
    },
  };
}

export function Mounted({ extension, context, onFail }) {
  const element = useRef(null);
  const shown = useRef(null);
  const [turn, setTurn] = useState(0);
  const key = JSON.stringify(context) + theme.value;
  useEffect(() => {
    let wanted = true;
    import(extension.module)
      .then(async (module) => {
        if (module.default?.api !== 1) throw new Error(`speaks version ${module.default?.api} of the contract of panels; this page speaks 1`);
        const made = (await module.default.mount(element.current, full(context))) ?? {};
        if (wanted) shown.current = made; else made.unmount?.();
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
    try { shown.current.update(full(context)); } catch (error) { onFail(error); }
  }, [key]);
  return html`<div key=${turn} class="extension" ref=${element}></div>`;
}

// what a frame may ask for in its person's name: to read
const READABLE = /^(api\/ui\/1\/(runs:table|runs:facets|metrics:summary|metrics:series|experiments:list|artifacts:list)|ajax-api\/2\.0\/mlflow\/(runs\/(get|search)|metrics\/get-history|experiments\/get|registered-models\/get|model-versions\/get))$/;

function Isolated({ extension, context, onFail }) {
  const frame = useRef(null);
  const [height, setHeight] = useState(160);
  const key = JSON.stringify(context) + theme.value;
  const show = () => frame.current?.contentWindow.postMessage(
    { mlcore: "show", module: new URL(extension.module, location.href).href, context: plain(context) }, "*");
  useEffect(() => {
    const onMessage = async ({ source, data }) => {
      if (source !== frame.current?.contentWindow || !data) return;
      if (data.mlcore === "ready") show();
      else if (data.mlcore === "height") setHeight(Math.min(4000, Math.max(40, Number(data.height) || 0)));
      else if (data.mlcore === "failed") onFail(new Error(String(data.message)));
      else if (data.mlcore === "call") source.postMessage({ mlcore: "answer", id: data.id, ...(await answered(data)) }, "*");
    };
    addEventListener("message", onMessage);
    return () => removeEventListener("message", onMessage);
  }, [extension.module, key]);
  useEffect(show, [key]);
  return html`<iframe ref=${frame} class="extension" sandbox="allow-scripts" title=${extension.title} src=${`${start.base}/frame`} style=${{ height: `${height}px` }}></iframe>`;
}

async function answered({ name, values }) {
  try {
    const [path, body] = values;
    if (name === "navigate") { navigate(String(path)); return { value: null }; }
    if (!["get", "post"].includes(name) || !READABLE.test(path)) throw new Error(`an isolated panel may not ask for ${path}`);
    return { value: await api[name](path, name === "post" ? { ...body, accept: undefined } : body) };
  } catch (error) {
    return { error: error.message };
  }
}
