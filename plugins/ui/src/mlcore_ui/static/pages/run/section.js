// A part of the overview with a search of its own where there is much in it; only so many rows are drawn.
import { html, useState } from "../../lib/html.js";
import { count } from "../../lib/format.js";

const MOST = 200;
const MANY = 8;

/**
 * @param {{id: string, title: string, what: string, rows: any[], text: (row: any) => string, actions?: any, empty?: string, children: (rows: any[]) => any}} props
 * what: what the rows are, in the plural. text: what is searched in a row. children: draws rows.
 */
export function Section({ id, title, what, rows, text, actions, empty, children }) {
  const [search, setSearch] = useState("");
  const [all, setAll] = useState(false);
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = words.length ? rows.filter((row) => { const own = text(row).toLowerCase(); return words.every((word) => own.includes(word)); }) : rows;
  const shown = all ? found : found.slice(0, MOST);
  return html`<section class="part" aria-labelledby=${id}><div class="bar"><h2 id=${id}>${title} <span class="count">${count(rows.length)}</span></h2>
      ${rows.length > MANY && html`<input type="search" placeholder=${`Search ${what}`} aria-label=${`Search ${what}`} value=${search} onInput=${(event) => setSearch(event.currentTarget.value)} />`}
      <span class="grow"></span>${actions}</div>
    ${rows.length === 0 && empty && html`<p class="muted">${empty}</p>`}
    ${rows.length > 0 && !found.length && html`<p class="muted">None of them has that in it.</p>`}
    ${shown.length > 0 && children(shown)}
    ${found.length > shown.length && html`<p><button onClick=${() => setAll(true)}>Show all ${count(found.length)}</button></p>`}</section>`;
}
