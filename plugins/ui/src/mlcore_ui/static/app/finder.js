// Go to anything: experiments, runs and models by parts of their names.
import { html, signal, useEffect, useRef, useState } from "../lib/html.js";
import { api } from "../lib/api.js";
import { navigate } from "../lib/url.js";
import { Dialog } from "../components/dialog.js";

export const finderOpen = signal(false);

const PAGES = [["Experiments", "experiments"], ["Models", "models"], ["About this server", "about"]];

export function Finder() {
  return finderOpen.value ? html`<${Open} />` : null;
}

function Open() {
  const [text, setText] = useState("");
  const [found, setFound] = useState([]);
  const [at, setAt] = useState(0);
  const box = useRef(null);
  const close = () => { finderOpen.value = false; };
  useEffect(() => { box.current?.focus(); }, []);
  useEffect(() => {
    const pages = PAGES.filter(([name]) => name.toLowerCase().includes(text.toLowerCase())).map(([name, path]) => ({ kind: "page", name, path }));
    setAt(0);
    if (!text.trim()) { setFound(pages); return undefined; }
    const controller = new AbortController();
    const timer = setTimeout(() => {
      api.get("api/ui/1/search", { q: text.trim(), limit: 8 }, controller.signal).then((answer) => setFound([
        ...answer.experiments.map((one) => ({ kind: "experiment", name: one.name, path: `experiments/${one.experiment_id}` })),
        ...answer.runs.map((one) => ({ kind: "run", name: one.run_name || one.run_id, path: `runs/${one.run_id}` })),
        ...answer.models.map((one) => ({ kind: "model", name: one.name, path: `models/${one.name}` })),
        ...pages,
      ]), () => setFound(pages));
    }, 120);
    return () => { clearTimeout(timer); controller.abort(); };
  }, [text]);
  const go = (one) => { close(); navigate(one.path); };
  const onKeyDown = (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setAt((old) => (old + (event.key === "ArrowDown" ? 1 : found.length - 1)) % Math.max(1, found.length));
    } else if (event.key === "Enter" && found[at]) { event.preventDefault(); go(found[at]); }
  };
  return html`<${Dialog} title="Go to" onClose=${close}>
    <input ref=${box} class="wide" role="combobox" aria-label="Name of an experiment, run or model" aria-expanded="true" aria-controls="found"
      aria-activedescendant=${found.length ? `found-${at}` : undefined} placeholder="experiment, run or model"
      value=${text} onInput=${(event) => setText(event.currentTarget.value)} onKeyDown=${onKeyDown} />
    <ul id="found" class="found" role="listbox" aria-label="Found">
      ${found.map((one, index) => html`<li id=${`found-${index}`} key=${one.path} role="option" aria-selected=${index === at}
        onClick=${() => go(one)}><span class="kind">${one.kind}</span> ${one.name}</li>`)}
    </ul>
    ${text.trim() && !found.length && html`<p class="muted">Nothing has that name.</p>`}
  <//>`;
}
