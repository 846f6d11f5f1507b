// JSON as a tree that folds; branches are drawn when they are opened.
import { html, useMemo, useState } from "../../lib/html.js";
import { bytes, count } from "../../lib/format.js";
import { ErrorCard } from "../errorcard.js";
import { Loading, TakeAway, useText } from "./use.js";
import { Text } from "./text.js";
import { panel } from "../panel.js";

const MOST = 4 << 20;
const GROUP = 100;

export default panel(Json);

function Json({ files, file }) {
  const isBig = (file.size_bytes ?? 0) > MOST;
  const { data, error, again } = useText(files, isBig ? { ...file, size_bytes: 0 } : file, MOST);
  const read = useMemo(() => (data && !isBig ? parsed(data.text) : null), [data?.text, isBig]);
  if (isBig) return html`<p class="muted">A tree is made of at most ${bytes(MOST)}; this is its text.</p><${Text} files=${files} file=${file} />`;
  if (error) return html`<${ErrorCard} error=${error} onAgain=${again} />`;
  if (!data) return html`<${Loading} />`;
  if (!data.whole) return html`<${TakeAway} files=${files} file=${file} why="This file is too big to be shown as a tree." />`;
  if (read.wrong) return html`<p class="muted">${read.wrong}: this is its text.</p><${Text} files=${files} file=${file} />`;
  return html`<div class="json" role="region" aria-label=${`Content of ${file.name}`}><${Branch} name="" value=${read.value} open=${true} depth=${0} /></div>`;
}

/** A whole number that no float holds, as it is written. */
class Digits { constructor(text) { this.text = text; } }

function parsed(text) {
  try {
    return { value: JSON.parse(text, /** @type {any} the third argument is newer than the types */ ((_, value, more) => (typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(more?.source ?? "") ? new Digits(more.source) : value))) };
  } catch (error) {
    return { wrong: error instanceof RangeError ? "Nested too deep for a tree" : "Not JSON" };
  }
}

/** A value with what is in it. @param {{name: string, value: any, open?: boolean, depth: number}} props */
export function Branch({ name, value, open = false, depth }) {
  const [isOpen, setOpen] = useState(open);
  if (typeof value !== "object" || value === null || value instanceof Digits) return html`<div class="leaf"><${Name} name=${name} /><${Leaf} value=${value} /></div>`;
  const entries = Array.isArray(value) ? value.map((one, at) => [String(at), one]) : Object.entries(value);
  const kind = Array.isArray(value) ? `${count(entries.length)} ${entries.length === 1 ? "item" : "items"}` : `${count(entries.length)} ${entries.length === 1 ? "key" : "keys"}`;
  if (!entries.length) return html`<div class="leaf"><${Name} name=${name} /><span class="muted">${Array.isArray(value) ? "[ ]" : "{ }"}</span></div>`;
  return html`<details open=${isOpen} onToggle=${(event) => { if (event.target === event.currentTarget) setOpen(event.currentTarget.open); }}>
    <summary><${Name} name=${name} /><span class="muted">${Array.isArray(value) ? `[ ${kind} ]` : `{ ${kind} }`}</span></summary>
    ${isOpen && html`<div class="inside">${entries.length <= GROUP ? entries.map(([key, one]) => html`<${Branch} key=${key} name=${key} value=${one} open=${depth < 1 && entries.length <= 20} depth=${depth + 1} />`) : groups(entries, depth)}</div>`}
  </details>`;
}

function groups(entries, depth) {
  const size = Math.max(GROUP, 10 ** Math.ceil(Math.log10(entries.length) - 2));
  const out = [];
  for (let from = 0; from < entries.length; from += size) out.push(html`<${Group} key=${from} entries=${entries.slice(from, from + size)} from=${from} depth=${depth} />`);
  return out;
}

function Group({ entries, from, depth }) {
  const [isOpen, setOpen] = useState(from === 0 && entries.length <= GROUP);
  return html`<details open=${isOpen} onToggle=${(event) => { if (event.target === event.currentTarget) setOpen(event.currentTarget.open); }}>
    <summary><span class="muted">${count(from)} … ${count(from + entries.length - 1)}</span></summary>
    ${isOpen && html`<div class="inside">${entries.length > GROUP ? groups(entries, depth) : entries.map(([key, one]) => html`<${Branch} key=${key} name=${key} value=${one} depth=${depth + 1} />`)}</div>`}</details>`;
}

function Name({ name }) {
  return name === "" ? null : html`<span class="name">${name}</span><span class="muted">: </span>`;
}

function Leaf({ value }) {
  if (value instanceof Digits) return html`<span class="digits">${value.text}</span>`;
  if (typeof value === "string") return html`<span class="string">${JSON.stringify(value.length > 5000 ? `${value.slice(0, 5000)}…` : value)}</span>`;
  return html`<span class=${typeof value === "number" ? "digits" : "word"}>${String(value)}</span>`;
}
