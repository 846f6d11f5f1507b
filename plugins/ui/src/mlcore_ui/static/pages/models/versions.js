// The versions of a model, the newest first; chosen ones are compared.
import { html, useState } from "../../lib/html.js";
import { href, navigate } from "../../lib/url.js";
import { ago, short, time } from "../../lib/format.js";
import { useKeys } from "../../lib/keys.js";
import { toast } from "../../components/toast.js";
import { Empty } from "../../components/empty.js";
import { AliasChip, StageChip } from "./chips.js";
import { ownTags, remembers, versionsOf } from "./registry.js";

/** @param {{name: string, aliases: Record<string, string>, first: any, allowed: Set<string>, onAsk: (asking: any) => void}} props */
export function Versions({ name, aliases, first, allowed, onAsk }) {
  const [chosen, setChosen] = useState([]);
  const [more, setMore] = useState({ of: first.versions, versions: [], token: first.token });
  const further = more.of === first.versions ? more : { of: first.versions, versions: [], token: first.token };
  const rows = [...first.versions, ...further.versions];
  const compare = () => { if (chosen.length > 1) navigate(`models/${name}`, { query: { tab: "compare", versions: chosen.join(",") } }); };
  useKeys({ c: { run: compare, about: "compare the chosen versions" } }, "Versions");
  const load = async () => {
    try {
      const page = await versionsOf([name], { token: further.token });
      setMore({ of: first.versions, versions: [...further.versions, ...page.versions], token: page.token });
    } catch (error) {
      toast(error.message, { bad: true });
    }
  };
  const choose = (version, on) => setChosen((old) => (on ? [...old, version] : old.filter((one) => one !== version)));
  if (!rows.length) return html`<${Empty} title="No versions yet" note="A version is made of a model that a run has logged." />`;
  return html`
    <div class="bar"><button disabled=${chosen.length < 2} onClick=${compare}>Compare ${chosen.length > 1 ? `${chosen.length} versions` : "chosen versions"}</button></div>
    <div class="scroll"><table class="plain list versions"><thead><tr><th><span class="offscreen">Choose</span></th><th>Version</th><th>Stage</th><th>Aliases</th><th>Created</th><th>By</th><th>Source run</th><th>Description</th><th>Tags</th><th><span class="offscreen">Actions</span></th></tr></thead>
      <tbody>${rows.map((one) => html`<${Row} key=${one.version} one=${one} aliases=${Object.keys(aliases).filter((alias) => aliases[alias] === one.version)}
        chosen=${chosen.includes(one.version)} allowed=${allowed} onChoose=${(on) => choose(one.version, on)} onAsk=${onAsk} />`)}</tbody></table></div>
    ${further.token && html`<p><button onClick=${load}>Older versions</button></p>`}`;
}

function Row({ one, aliases, chosen, allowed, onChoose, onAsk }) {
  const edits = allowed.has("edit");
  const moves = edits || (allowed.has("read") && remembers());
  return html`<tr>
    <td><input type="checkbox" aria-label=${`Choose version ${one.version}`} checked=${chosen} onChange=${(event) => onChoose(event.currentTarget.checked)} /></td>
    <th scope="row"><a href=${href(`models/${one.name}/${one.version}`)}>Version ${one.version}</a>${one.status !== "READY" && html` <span class="status failed" title=${one.status_message}>${readable(one.status)}</span>`}</th>
    <td>${one.current_stage !== "None" && html`<${StageChip} stage=${one.current_stage} />`}</td>
    <td>${aliases.map((alias) => html`<${AliasChip} name=${one.name} alias=${alias} /> `)}</td>
    <td title=${time(one.creation_timestamp)}>${ago(one.creation_timestamp)}</td><td>${one.user_id}</td>
    <td>${one.run_id && html`<a href=${href(`runs/${one.run_id}`)}><code>${short(one.run_id, 12)}</code></a>`}</td>
    <td class="clip">${one.description}</td>
    <td>${Object.entries(ownTags(one.tags)).slice(0, 4).map(([key, value]) => html`<span class="chip">${key}: ${value}</span> `)}</td>
    <td class="actions">${moves && html`<button aria-label=${edits ? `Stage of version ${one.version}` : `Ask to move version ${one.version}`} onClick=${() => onAsk({ kind: "stage", version: one })}>${edits ? "Stage" : "Ask"}</button>`}
      ${edits && html`<button aria-label=${`Alias of version ${one.version}`} onClick=${() => onAsk({ kind: "alias", version: one.version })}>Alias</button>`}
      ${allowed.has("manage") && html`<button aria-label=${`Delete version ${one.version}`} onClick=${() => onAsk({ kind: "drop", version: { ...one, aliases } })}>Delete</button>`}</td></tr>`;
}

function readable(status) {
  return String(status).toLowerCase().replace(/_/g, " ");
}
