// Where the aliases point, and what is in stages; they are moved, removed and rolled back here.
import { html, useState } from "../../lib/html.js";
import { href } from "../../lib/url.js";
import { ago, time } from "../../lib/format.js";
import { DropAlias, MoveAlias, MoveStage, aliasesOf } from "./asking.js";
import { StageChip } from "./chips.js";
import { aliasBefore, stageBefore } from "./moves.js";
import { ACTIVE } from "./registry.js";

/** @param {{model: any, versions: any[], complete: boolean, moves: any[], edits: boolean, onChanged: () => void}} props */
export function Aliases({ model, versions, complete, moves, edits, onChanged }) {
  const [asking, setAsking] = useState(null);
  const close = () => setAsking(null);
  const aliases = Object.entries(aliasesOf(model)).sort();
  // versions that are not listed here may be there still: the server says so if not
  const there = { has: (version) => !complete || versions.some((one) => one.version === version) };
  return html`<section aria-labelledby="aliases-title"><div class="bar"><h2 id="aliases-title">${versions.some((one) => ACTIVE.includes(one.current_stage)) ? "Aliases and stages" : "Aliases"}</h2>
      ${edits && versions.length > 0 && html`<button onClick=${() => setAsking({ kind: "move" })}>Set an alias</button>`}</div>
    ${!aliases.length && html`<p class="muted">No alias points to a version. With one, models:/${model.name}@champion is what it says.</p>`}
    ${aliases.length > 0 && html`<ul class="alias-list">${aliases.map(([alias, version]) => {
      const before = aliasBefore(moves, alias, version, there);
      const last = moves.find((one) => one.kind === "alias" && one.subject === alias);
      return html`<li key=${alias}><span class="chip alias">@${alias}</span> → <a href=${href(`models/${model.name}/${version}`)}>version ${version}</a>
        <span class="muted grow">${last && html`<span title=${time(last.at)}>${ago(last.at)}${last.user && ` by ${last.user}`}</span>${last.comment && html`: <q>${last.comment}</q>`}`}</span>
        ${edits && html`<span class="actions"><button aria-label=${`Move ${alias}`} onClick=${() => setAsking({ kind: "move", alias })}>Move</button>
          ${before && html`<button aria-label=${`Roll back to ${before}: the alias ${alias}`} onClick=${() => setAsking({ kind: "back", alias, before })}>Roll back to ${before}</button>`}
          <button aria-label=${`Remove ${alias}`} onClick=${() => setAsking({ kind: "drop", alias })}>Remove</button></span>`}</li>`;
    })}</ul>`}
    <${Stages} model=${model} versions=${versions} moves=${moves} edits=${edits} onAsk=${setAsking} />
    ${asking?.kind === "stage" && html`<${MoveStage} version=${asking.version} versions=${versions} edits=${edits} stage=${asking.stage} comment="rolled back"
      title=${`Roll ${asking.stage} back`} onClose=${close} onChanged=${onChanged} />`}
    ${asking?.kind === "move" && html`<${MoveAlias} model=${model} versions=${versions} alias=${asking.alias} onClose=${close} onChanged=${onChanged} />`}
    ${asking?.kind === "back" && html`<${MoveAlias} model=${model} versions=${versions} alias=${asking.alias} version=${asking.before} comment="rolled back"
      title=${`Roll ${asking.alias} back`} onClose=${close} onChanged=${onChanged} />`}
    ${asking?.kind === "drop" && html`<${DropAlias} model=${model} alias=${asking.alias} onClose=${close} onChanged=${onChanged} />`}
  </section>`;
}

/** The versions in stages that serve, and the way back to those that were there before. */
function Stages({ model, versions, moves, edits, onAsk }) {
  const found = ACTIVE.map((stage) => ({ stage, now: versions.filter((one) => one.current_stage === stage).map((one) => one.version) })).filter(({ now }) => now.length);
  if (!found.length) return null;
  const there = { has: (version) => versions.some((one) => one.version === version) };
  return html`<ul class="alias-list" aria-label="Stages">${found.map(({ stage, now }) => {
    const before = stageBefore(moves, stage, now, there);
    return html`<li key=${stage}><${StageChip} stage=${stage} /> → ${now.map((version) => html`<a href=${href(`models/${model.name}/${version}`)}>version ${version}</a> `)}<span class="grow"></span>
      ${edits && before && html`<span class="actions"><button aria-label=${`Roll back to ${before}: the stage ${stage}`}
        onClick=${() => onAsk({ kind: "stage", stage, version: versions.find((one) => one.version === before) })}>Roll back to ${before}</button></span>`}</li>`;
  })}</ul>`;
}
