// The choice of columns: search, check, and order by drag or by keys.
import { html, useState } from "../../lib/html.js";
import { count } from "../../lib/format.js";
import { Dialog } from "../../components/dialog.js";
import { ATTRIBUTES, label, parse } from "./columns.js";
import { useFound } from "./found.js";
import { change } from "./state.js";

const MOST = 200;

/**
 * @param {{names: string[], keys: import("../../lib/types.js").Facet[], chosen: boolean, more: number, find: import("../../lib/types.js").Find|null, onClose: () => void}} props
 * more: how many keys there are besides. find: asks the server for them
 */
export function ColumnPicker({ names, keys: known, chosen, more, find, onClose }) {
  const [text, setText] = useState("");
  const low = text.trim().toLowerCase();
  const asked = useFound(find, low);
  const keys = asked.merge(known);
  /** @type {{column: string, kind: string, count?: number, distinct?: number}[]} */
  const all = [...keys.filter((one) => one.kind !== "attribute"), ...Object.keys(ATTRIBUTES).map((key) => ({ column: `attributes.${key}`, kind: "attribute" }))];
  const bases = new Set(names);
  const words = low.split(/\s+/);
  const found = all.filter((one) => words.every((word) => one.column.toLowerCase().includes(word)));
  const put = (next) => change({ cols: next.length ? next : "none" });
  const toggle = (name) => put(bases.has(name) ? names.filter((one) => one !== name) : [...names, name]);
  const listed = found.slice(0, MOST);
  // what the server did not tell of yet counts only while nothing is searched for
  const left = found.length - listed.length + (low ? asked.more : more);
  return html`<${Dialog} title="Columns" wide onClose=${onClose}><div class="picker">
    <section aria-label="All columns">
      <input class="wide" type="search" autofocus aria-label="Search columns" placeholder="Search params, metrics, tags" value=${text} onInput=${(event) => setText(event.currentTarget.value)} />
      <p class="bar"><button onClick=${() => put([...names, ...listed.map((one) => one.column).filter((name) => !bases.has(name))])} disabled=${!listed.length}>Show these ${count(listed.length)}</button>
        <button onClick=${() => put(names.filter((name) => !listed.some((one) => one.column === name)))}>Hide these</button>
        <button disabled=${!chosen} onClick=${() => change({ cols: null })}>The usual ones</button></p>
      <ul class="picks">${listed.map((one) => html`<li key=${one.column}><label class="check"><input type="checkbox" checked=${bases.has(one.column)} onChange=${() => toggle(one.column)} />
        <span class="clip">${label(parse(one.column))}</span></label> <span class="muted">${one.kind}${one.count !== undefined ? ` · ${count(one.count)} runs · ${count(one.distinct)} ${one.distinct === 1 ? "value" : "values"}` : ""}</span></li>`)}</ul>
      ${left > 0 && html`<p class="muted" role="status">${count(left)} more ${low ? "fit; type more of the name" : "are not listed; search for them"}.</p>`}
      ${!listed.length && html`<p class="muted" role="status">${asked.waiting ? "Searching…" : "No name fits."}</p>`}
    </section>
    <${Order} names=${names} put=${put} />
  </div><//>`;
}

/** The shown columns, in order. */
function Order({ names, put }) {
  const [said, setSaid] = useState("");
  const shift = (at, to) => {
    if (to < 0 || to >= names.length) return;
    const next = names.filter((_, one) => one !== at);
    next.splice(to, 0, names[at]);
    put(next);
    setSaid(`${label(parse(names[at]))} is column ${to + 1} of ${names.length}`);
  };
  const onKeyDown = (event, at) => {
    const to = { ArrowUp: at - 1, ArrowDown: at + 1 }[event.key];
    if (event.key === "Delete") put(names.filter((_, one) => one !== at));
    if (to === undefined || to < 0 || to >= names.length) return;
    event.preventDefault();
    const list = event.currentTarget.closest("ol");
    if (event.altKey) shift(at, to);
    requestAnimationFrame(() => list.children[to]?.querySelector("button")?.focus());
  };
  return html`<section aria-label="Shown columns"><h3>Shown, in this order</h3><p class="muted">Drag, or <kbd>Alt ↑</kbd> <kbd>Alt ↓</kbd>; <kbd>Delete</kbd> hides.</p>
    <ol class="picks order">${names.map((name, at) => html`<li key=${name} draggable onDragStart=${(event) => event.dataTransfer.setData("text/plain", String(at))}
        onDragOver=${(event) => event.preventDefault()} onDrop=${(event) => { event.preventDefault(); shift(Number(event.dataTransfer.getData("text/plain")), at); }}>
      <button class="plain" onKeyDown=${(event) => onKeyDown(event, at)} aria-label=${`${label(parse(name))}, ${parse(name).kind}, column ${at + 1}`}>⠿ <span class="clip">${label(parse(name))}</span></button>
      <span class="muted">${parse(name).kind}${parse(name).stat ? ` ${parse(name).stat}` : ""}</span></li>`)}</ol>
    <p class="offscreen" role="status">${said}</p></section>`;
}
