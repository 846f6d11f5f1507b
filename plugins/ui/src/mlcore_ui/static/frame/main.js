// Inside a sandboxed frame: loads one module of a plugin and passes its questions to the page around it.
const element = document.getElementById("panel");
const waiting = new Map();
let asked = 0;
let shown = null;
let about = null;
let next = null;
let busy = false;

function call(name, ...values) {
  asked += 1;
  parent.postMessage({ mlcore: "call", id: asked, name, values }, "*");
  return new Promise((resolve, reject) => waiting.set(asked, { resolve, reject }));
}

// functions and what stops a request cannot be sent
function sent(value) {
  return value && typeof value === "object" ? Object.fromEntries(Object.entries(value).filter(([name, one]) => name !== "signal" && typeof one !== "function")) : value;
}

function context(plain, names) {
  const files = Object.fromEntries(names.map((name) => [name, (path, ...more) => call(`files.${name}`, path, ...more.filter((one) => !(one instanceof AbortSignal)).map(sent))]));
  return { ...plain, ...(names.length && { files }), get: (path, query) => call("get", path, query), post: (path, body) => call("post", path, body), navigate: (path) => call("navigate", path), setParams: (changes, more) => call("setParams", changes, sent(more)) };
}

function failed(error) {
  parent.postMessage({ mlcore: "failed", message: String(error?.message ?? error) }, "*");
}

// one after the other: what comes while a module is being mounted waits, and the last of it counts
async function showAll() {
  busy = true;
  while (next) {
    const data = next;
    next = null;
    try { await show(data); } catch (error) { failed(error); }
  }
  busy = false;
}

async function show(data) {
  const told = context(data.context, data.files ?? []);
  const other = about !== data.about;
  about = data.about;
  if (shown?.update) {
    // a slow one does not keep the next from being told
    Promise.resolve(shown.update(told)).catch(failed);
    return;
  }
  if (shown && !other) return;
  const { default: panel } = await import(data.module);
  if (panel?.api !== 1) throw new Error(`speaks version ${panel?.api} of the contract of panels; this page speaks 1`);
  const old = shown;
  shown = null;
  old?.unmount?.();
  element.replaceChildren();
  shown = (await panel.mount(element, told)) ?? {};
}

addEventListener("message", ({ source, data }) => {
  if (source !== parent || !data) return;
  if (data.mlcore === "answer") {
    const { resolve, reject } = waiting.get(data.id) ?? {};
    waiting.delete(data.id);
    if (data.error) reject?.(new Error(data.error)); else resolve?.(data.value);
  } else if (data.mlcore === "document") {
    document.open();
    document.write(data.document);
    document.close();
  } else if (data.mlcore === "show") {
    document.documentElement.dataset.theme = data.context.theme;
    next = data;
    if (!busy) showAll();
  }
});

new ResizeObserver(() => parent.postMessage({ mlcore: "height", height: document.documentElement.scrollHeight }, "*")).observe(element);
parent.postMessage({ mlcore: "ready" }, "*");
