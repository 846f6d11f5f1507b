// Where the aliases point; they are moved, removed and rolled back here.
import { html, useState } from "../../lib/html.js";
import { href } from "../../lib/url.js";
import { ago, time } from "../../lib/format.js";
import { DropAlias, MoveAlias, aliasesOf } from "./asking.js";
import { aliasBefore } from "./moves.js";

/** @param {{model: any, versions: any[], complete: boolean, moves: any[], edits: boolean, onChanged: () => void}} props */
export function Aliases({ model, versions, complete, moves, edits, onChanged }) {
  const [asking, setAsking] = useState(null);
  const close = () => setAsking(null);
  const aliases = Object.entries(aliasesOf(model)).sort();
  // versions that are not listed here may be there still: the server says so if not
  const there = { has: (version) => !complete || versions.some((one) => one.version === version) };
  return html`<section aria-labelledby="aliases-title"><div class="bar"><h2 id="aliases-title">Aliases</h2>
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
    ${asking?.kind === "move" && html`<${MoveAlias} model=${model} versions=${versions} alias=${asking.alias} onClose=${close} onChanged=${onChanged} />`}
    ${asking?.kind === "back" && html`<${MoveAlias} model=${model} versions=${versions} alias=${asking.alias} version=${asking.before} comment="rolled back"
      title=${`Roll ${asking.alias} back`} onClose=${close} onChanged=${onChanged} />`}
    ${asking?.kind === "drop" && html`<${DropAlias} model=${model} alias=${asking.alias} onClose=${close} onChanged=${onChanged} />`}
  </section>`;
}
