// Tables in files, page by page: the server reads them and sends the rows that are shown.
import { html, useState } from "../../lib/html.js";
import { count, number } from "../../lib/format.js";
import { useLoad } from "../../lib/load.js";
import { ErrorCard } from "../errorcard.js";
import { Loading } from "./use.js";
import { panel } from "../panel.js";

const PAGE = 100;
const NUMERIC = /^(u?int|float|double|number|integer|decimal|half|long)/;

export default panel(Table);

function Table({ files, file }) {
  const key = `${files.key}\n${file.path}\n${file.size_bytes}`;
  const [at, setAt] = useState({ key, offset: 0 });
  const offset = at.key === key ? at.offset : 0;
  const { data, error, loading, again } = useLoad(`${key}\n${offset}`, async (signal) => ({
    key, offset, ...await files.table(file.path, { offset, limit: PAGE, signal }),
  }));
  if (error) return html`<${ErrorCard} error=${error} title="The table cannot be read" onAgain=${again} />`;
  if (data?.key !== key) return html`<${Loading} />`;
  const { columns, rows, total } = data;
  // the columns of an array are numbered from 0, and so are its rows
  const base = file.name.toLowerCase().endsWith(".npy") ? 0 : 1;
  const last = total === null ? rows.length < PAGE : data.offset + rows.length >= total;
  const go = (next) => setAt({ key, offset: Math.max(0, next) });
  return html`<div class="bar"><span>${rows.length ? `Rows ${count(data.offset + base)} to ${count(data.offset + rows.length - 1 + base)}` : "No rows"}${total === null ? "" : ` of ${count(total)}`}, ${count(columns.length)} ${columns.length === 1 ? "column" : "columns"}</span>
      <button disabled=${data.offset === 0 || loading} onClick=${() => go(data.offset - PAGE)}>Before</button>
      <button disabled=${last || loading} onClick=${() => go(data.offset + PAGE)}>After</button>
      ${data.truncated && html`<span class="muted">Not everything is shown: the file has more than fits here.</span>`}</div>
    <div class="scroll rows" tabindex="0" role="region" aria-label=${`Rows of ${file.name}`} aria-busy=${loading}><table class="plain dense"><thead><tr><th class="right"><span class="offscreen">Row</span></th>${columns.map((one) => html`<th title=${one.type} class=${NUMERIC.test(one.type) ? "right" : ""}>${one.name}</th>`)}</tr></thead>
      <tbody>${rows.map((row, index) => html`<tr key=${index}><td class="right muted">${data.offset + index + base}</td>${row.map((cell, at) => html`<${Cell} value=${cell} numeric=${NUMERIC.test(columns[at]?.type ?? "")} />`)}</tr>`)}</tbody></table></div>`;
}

function Cell({ value, numeric }) {
  if (value === null || value === undefined) return html`<td class="muted">null</td>`;
  if (typeof value === "number") return html`<td class="right" title=${String(value)}>${number(value, 7)}</td>`;
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return html`<td class=${numeric ? "right" : ""}><div class="clip" title=${text.length > 40 ? text : undefined}>${text}</div></td>`;
}
