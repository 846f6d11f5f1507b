// Params, metrics and tags of runs in columns, what differs from the first run marked.
import { html, useEffect, useState } from "../../lib/html.js";
import { useLoad } from "../../lib/load.js";
import { count, duration, number, status, time } from "../../lib/format.js";
import { href } from "../../lib/url.js";
import { csv, save } from "../../lib/download.js";
import { comparing } from "./comparing.js";
import { Mark } from "./legend.js";

const RUNS = 20;
const ROWS = 300;
const GROUPS = ["Params", "Metrics", "Tags", "Attributes"];

/** A cell as text. @param {any} column @param {any} value */
export function shown(column, value) {
  if (value === null) return "";
  if (column.column === "attributes.duration") return duration(value);
  if (column.column === "attributes.start_time" || column.column === "attributes.end_time") return time(value);
  if (column.column === "attributes.status") return status(value);
  return typeof value === "number" ? number(value, 6) : String(value);
}

export default comparing(DiffTable);

/** @param {any} props of comparing */
function DiffTable({ runs, columns: known, more: unknown, find, query, onQuery, hovered, onHover }) {
  const [search, setSearch] = useState("");
  const [width, setWidth] = useState(RUNS);
  const [most, setMost] = useState(ROWS);
  const all = query.same === "1";
  const word = search.trim().toLowerCase();
  const { columns, more, waiting } = useNames({ known, unknown, find, word });
  const kept = columns.filter((one) => (all || one.differs) && (!word || one.label.toLowerCase().includes(word)));
  const few = runs.slice(0, width);
  let left = most;
  const download = () => save(new Blob([csv([["kind", "name", ...runs.map((run) => run.name)], ...kept.map((one) => [one.kind, one.label, ...one.values])])], { type: "text/csv" }), "compare.csv");
  return html`<div class="bar"><input type="search" aria-label="Search names" placeholder="Search names" value=${search} onInput=${(event) => setSearch(event.currentTarget.value)} />
      <label class="check"><input type="checkbox" checked=${!all} onChange=${() => onQuery({ same: all ? null : "1" })} /> only differences</label>
      <span class="muted" role="status">${count(kept.length)} of ${count(known.length + unknown)} names${waiting ? ", searching…" : unknown > 0 && !word ? "; search for the others" : ""}</span><span class="grow"></span><button onClick=${download}>Download CSV</button></div>
    ${!kept.length && !waiting && html`<p class="muted">${word ? "No name fits." : unknown ? "These runs do not differ in the names that are listed." : "These runs do not differ in what they recorded."}</p>`}
    ${kept.length > 0 && html`<div class="scroll diff" tabindex="0" role="region" aria-label="Differences of runs"><table class="plain">
      <thead><tr><th class="diff-name">Name</th>${few.map((run) => html`<th key=${run.run_id} scope="col" class=${run.run_id === hovered ? "on" : ""} onMouseEnter=${() => onHover(run.run_id)} onMouseLeave=${() => onHover(null)}>
        <${Mark} color=${run.color} /> <a href=${href(`runs/${run.run_id}`)}>${run.name}</a>${run.deleted && html` <span class="status killed">deleted</span>`}</th>`)}</tr></thead>
      ${GROUPS.map((group) => {
        const rows = kept.filter((one) => one.group === group).slice(0, left);
        left -= rows.length;
        return rows.length > 0 && html`<tbody key=${group}><tr><th class="diff-group diff-name" scope="rowgroup">${group}</th><td class="diff-group" colspan=${few.length}></td></tr>
          ${rows.map((one) => html`<${Row} key=${one.column} one=${one} few=${few} />`)}</tbody>`;
      })}</table></div>`}
    <p>${kept.length > most && html`<button onClick=${() => setMost(most + ROWS)}>Show ${Math.min(ROWS, kept.length - most)} more names</button> `}
      ${runs.length > width && html`<button onClick=${() => setWidth(width + RUNS)}>Show ${Math.min(RUNS, runs.length - width)} more of ${runs.length} runs</button> `}
      ${more > 0 && html`<span class="muted">${count(more)} more ${word ? "names fit; type more of the name" : "names are not listed; search for them"}.</span>`}</p>`;
}

/** The columns that are known, and those that the server finds for a word when they are not all. */
function useNames({ known, unknown, find, word }) {
  const [settled, setSettled] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setSettled(word), 250);
    return () => clearTimeout(timer);
  }, [word]);
  const asks = unknown > 0 && settled;
  const { data, error } = useLoad(asks ? settled : "", async () => (asks ? { of: settled, ...(await find(settled)) } : null));
  if (!unknown || !word) return { columns: known, more: unknown, waiting: false };
  if (data?.of !== word) return { columns: known, more: 0, waiting: !error };
  const names = new Set(known.map((one) => one.column));
  return { columns: [...known, ...data.columns.filter((one) => !names.has(one.column))], more: data.more, waiting: false };
}

function Row({ one, few }) {
  const first = JSON.stringify(one.values[0]);
  return html`<tr><th scope="row" class="diff-name" title=${one.label}>${one.label}</th>${few.map((run, at) => {
    const text = shown(one, one.values[at]);
    const other = JSON.stringify(one.values[at]) !== first;
    return html`<td key=${run.run_id} class=${`${other ? "other" : ""} ${one.numeric ? "right" : ""}`} title=${text}>${text === "" ? html`<span class="muted">none</span>` : text}</td>`;
  })}</tr>`;
}
