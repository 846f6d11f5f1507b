// A line for each run through several columns; ranges on the columns pick runs.
import { html, useCallback, useMemo, useState } from "../../lib/html.js";
import { axisOf } from "../../lib/scales.js";
import { PlotCanvas } from "../../components/plotcanvas.js";
import { comparing } from "./comparing.js";
import { plotted } from "./comparison.js";
import { listed, names } from "./groups.js";
import { AxisRange } from "./axisrange.js";
import { chosen, coloring, Pick, PlotTable, Scale } from "./plotparts.js";
import { HEIGHT, lineNear, paint } from "./parallelpaint.js";

const PARAMS = 5;
const AXES = 7;

/** The columns that are drawn when nobody chose: params that differ, then metrics. */
export function usual(choice) {
  const some = choice.filter((one) => one.differs);
  const params = some.filter((one) => one.kind === "param").slice(0, PARAMS);
  const metrics = some.filter((one) => one.kind === "metric").slice(0, AXES - params.length);
  return [...params, ...metrics];
}

export default comparing(Parallel);

/** @param {any} props of comparing */
function Parallel({ runs, columns, query, onQuery, hovered, onHover, onSelect }) {
  const choice = useMemo(() => plotted(columns), [columns]);
  const drawn = useMemo(() => {
    const asked = names(query.axes).map((name) => choice.find((one) => one.column === name)).filter(Boolean);
    return (asked.length ? asked : usual(choice)).map((column) => ({ column, axis: axisOf(column.values) }));
  }, [choice, query.axes]);
  const [ranges, setRanges] = useState({});
  const by = chosen(choice, query.pc, drawn.at(-1)?.column.kind === "metric" ? drawn.at(-1).column : null);
  const kept = useMemo(() => runs.map((run, index) => ({ run, index })).filter(({ index }) => fits(drawn, ranges, index)), [runs, drawn, ranges]);
  const set = (list) => onQuery({ axes: listed(list.map((one) => one.column.column)) });
  const draw = useCallback((pen, size) => paint(pen, size, { drawn, runs, kept: new Set(kept.map((one) => one.index)), color: coloring(runs, by), hovered }), [drawn, runs, kept, by, hovered]);
  const point = (x, y, size) => {
    const at = lineNear({ x, y, size }, drawn, kept);
    if ((at?.run.run_id ?? null) !== hovered) onHover(at?.run.run_id ?? null);
  };
  const picked = kept.length < runs.length;
  const name = kept.find((one) => one.run.run_id === hovered)?.run.name;
  return html`<div class="bar"><${Pick} label="Add an axis" value="" none="…" columns=${choice.filter((one) => !drawn.some(({ column }) => column === one))} onChange=${(column) => column && set([...drawn, { column: { column } }])} />
      <${Pick} label="Colour" value=${by?.column ?? ""} columns=${choice} none="by run" onChange=${(pc) => onQuery({ pc: pc || null })} />
      <span class="muted" role="status">${kept.length} of ${runs.length} runs${name ? ` · ${name}` : ""}</span>
      ${picked && html`<button onClick=${() => setRanges({})}>Clear the ranges</button>`}
      ${picked && onSelect && kept.length > 0 && html`<button onClick=${() => onSelect(kept.map(({ run }) => run.run_id))}>${kept.length === 1 ? "Select this run" : `Select these ${kept.length} runs`}</button>`}</div>
    ${drawn.length < 2 && html`<p class="muted">Add axes: two at least.</p>`}
    ${drawn.length > 0 && html`<div class="scroll"><div class="parallel" style=${{ minWidth: `${drawn.length * 110}px` }}>
      <${Names} drawn=${drawn} onSet=${set} />
      <${PlotCanvas} height=${HEIGHT} draw=${draw} onPoint=${point} onLeave=${() => hovered && onHover(null)} label=${`${kept.length} of ${runs.length} runs through ${drawn.map(({ column }) => column.label).join(", ")}; the table below has the values`}>
        ${drawn.map(({ column, axis }, at) => html`<${AxisRange} key=${column.column} name=${column.label} axis=${axis} left=${(at + 0.5) / drawn.length} range=${ranges[column.column] ?? [0, 1]}
          onRange=${(range) => setRanges((old) => without(old, column.column, range))} />`)}<//>
    </div></div>`}
    <${Scale} column=${by} />
    <${PlotTable} runs=${kept} columns=${drawn.map(({ column }) => column)} hovered=${hovered} onHover=${onHover} />`;
}

function without(old, name, range) {
  const { [name]: _, ...rest } = old;
  return range[0] <= 0 && range[1] >= 1 ? rest : { ...rest, [name]: range };
}

function fits(drawn, ranges, index) {
  return drawn.every(({ column, axis }) => {
    const range = ranges[column.column];
    if (!range) return true;
    const at = axis.place(column.values[index]);
    return at !== null && at >= range[0] - 1e-9 && at <= range[1] + 1e-9;
  });
}

function Names({ drawn, onSet }) {
  const move = (at, by) => { const list = [...drawn]; const [one] = list.splice(at, 1); list.splice(at + by, 0, one); onSet(list); };
  return html`<div class="axis-names">${drawn.map(({ column, axis }, at) => html`<div key=${column.column} style=${{ width: `${100 / drawn.length}%` }}>
    <span class="axis-name" title=${column.label}>${column.label}${axis.kind === "log" ? " (log)" : ""}</span>
    <span><button class="plain" disabled=${at === 0} aria-label=${`Move ${column.label} to the left`} onClick=${() => move(at, -1)}>‹</button>
      <button class="plain" aria-label=${`Remove ${column.label}`} onClick=${() => onSet(drawn.filter((_, other) => other !== at))}>✕</button>
      <button class="plain" disabled=${at === drawn.length - 1} aria-label=${`Move ${column.label} to the right`} onClick=${() => move(at, 1)}>›</button></span></div>`)}</div>`;
}
