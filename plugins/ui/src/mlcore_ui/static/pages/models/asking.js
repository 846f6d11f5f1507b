// Dialogs of moves. Each says what it expects to find; who comes second is told what there is now.
import { html, useState } from "../../lib/html.js";
import { toast } from "../../components/toast.js";
import { Dialog } from "../../components/dialog.js";
import { ACTIVE, STAGES, askMove, getModel, getVersion, remembers, removeVersion } from "./registry.js";
import { pointAlias, putStage, stageName } from "./moves.js";

const NOWHERE = "";

/**
 * What is done with a form: shows what went wrong, and after a conflict what there is now.
 * @param {() => Promise<any>} look gets the present state, after which the form may be sent again
 */
function useSending(look) {
  const [wrong, setWrong] = useState("");
  const [conflict, setConflict] = useState(false);
  const [busy, setBusy] = useState(false);
  const sending = async (step) => {
    setBusy(true);
    try {
      await step();
    } catch (error) {
      setWrong(error.message);
      if (error.status === 409) {
        setConflict(true);
        await look().catch(() => {});
      }
    }
    setBusy(false);
  };
  return { wrong, conflict, busy, sending };
}

function Outcome({ wrong, conflict, present }) {
  return html`<div class=${conflict ? "conflict" : "wrong"} role="alert">
    ${conflict && html`<strong>Somebody else was first. ${present}</strong>`}<p>${wrong}</p></div>`;
}

function Why({ value, onInput }) {
  if (!remembers()) return null;
  return html`<label>Why (for the history)<textarea class="wide" rows="2" value=${value} onInput=${(event) => onInput(event.currentTarget.value)}></textarea></label>`;
}

/**
 * Point an alias to a version.
 * @param {{model: any, versions: any[], alias?: string, version?: string, comment?: string, title?: string, onClose: () => void, onChanged: () => void}} props
 */
export function MoveAlias({ model, versions, alias, version, comment: why = "", title, onClose, onChanged }) {
  const [aliases, setAliases] = useState(aliasesOf(model));
  const [name, setName] = useState(alias ?? "");
  const [to, setTo] = useState(version ?? versions[0]?.version ?? "");
  const [comment, setComment] = useState(why);
  const { wrong, conflict, busy, sending } = useSending(async () => { setAliases(aliasesOf(await getModel(model.name))); onChanged(); });
  const from = aliases[name] ?? NOWHERE;
  const standing = from ? `“${name}” points to version ${from} now.` : `“${name}” points to no version now.`;
  const send = (event) => {
    event.preventDefault();
    sending(async () => { await pointAlias({ name: model.name, alias: name, from, to, comment }, onChanged); onClose(); });
  };
  const listed = versions.some((one) => one.version === to) || !to ? versions : [...versions, { version: to }];
  return html`<${Dialog} title=${title ?? (alias ? `Move ${alias}` : "Set an alias")} onClose=${onClose}>
    <form class="stack" onSubmit=${send}>
      <label>Alias<input class="wide" required readonly=${alias !== undefined} autofocus=${alias === undefined} list="aliases" autocomplete="off" value=${name}
        onInput=${(event) => setName(event.currentTarget.value)} /></label>
      <datalist id="aliases">${["champion", "challenger", ...Object.keys(aliases)].map((one) => html`<option value=${one} />`)}</datalist>
      <label>Version<select class="wide" autofocus=${alias !== undefined} value=${to} onChange=${(event) => setTo(event.currentTarget.value)}>
        ${listed.map((one) => html`<option value=${one.version}>${one.version}${one.current_stage && one.current_stage !== "None" ? ` (${one.current_stage})` : ""}</option>`)}</select></label>
      ${name && html`<p class="muted">${standing}</p>`}
      <${Why} value=${comment} onInput=${setComment} />
      <${Outcome} wrong=${wrong} conflict=${conflict} present=${standing} />
      <footer class="actions"><button type="button" onClick=${onClose}>Cancel</button><button class="primary" disabled=${busy}>${conflict ? "Move it all the same" : "Move the alias"}</button></footer>
    </form><//>`;
}

/** Remove an alias from where it points. */
export function DropAlias({ model, alias, onClose, onChanged }) {
  const [aliases, setAliases] = useState(aliasesOf(model));
  const [comment, setComment] = useState("");
  const { wrong, conflict, busy, sending } = useSending(async () => { setAliases(aliasesOf(await getModel(model.name))); onChanged(); });
  const from = aliases[alias] ?? NOWHERE;
  const standing = from ? `It points to version ${from} now.` : "It points to no version any more.";
  const send = (event) => {
    event.preventDefault();
    sending(async () => { await pointAlias({ name: model.name, alias, from, to: NOWHERE, comment }, onChanged); onClose(); });
  };
  return html`<${Dialog} title=${`Remove ${alias}`} onClose=${onClose}>
    <form class="stack" onSubmit=${send}><p>${standing} What loads models:/${model.name}@${alias} does not find it any more.</p>
      <${Why} value=${comment} onInput=${setComment} /><${Outcome} wrong=${wrong} conflict=${conflict} present=${standing} />
      <footer class="actions"><button type="button" onClick=${onClose}>Cancel</button><button class="danger" disabled=${busy || !from}>Remove the alias</button></footer>
    </form><//>`;
}

/**
 * Move a version to a stage, or ask that somebody else does.
 * @param {{version: any, versions: any[], edits: boolean, stage?: string, comment?: string, title?: string, onClose: () => void, onChanged: () => void}} props
 *   stage, comment: what the dialog begins with
 */
export function MoveStage({ version: one, versions, edits, stage, comment: why = "", title, onClose, onChanged }) {
  const [from, setFrom] = useState(one.current_stage);
  const [to, setTo] = useState(stage ?? { None: "Staging", Staging: "Production", Production: "Archived", Archived: "None" }[one.current_stage] ?? "Staging");
  const [archive, setArchive] = useState(true);
  const [comment, setComment] = useState(why);
  const { wrong, conflict, busy, sending } = useSending(async () => { setFrom((await getVersion(one.name, one.version)).current_stage); onChanged(); });
  const others = versions.filter((other) => other.current_stage === to && other.version !== one.version).map((other) => other.version);
  const archives = ACTIVE.includes(to) && archive;
  const move = () => sending(async () => {
    await putStage({ name: one.name, version: one.version, from, to, archive: archives, comment, others }, onChanged);
    onClose();
  });
  const ask = () => sending(async () => {
    await askMove({ name: one.name, version: one.version, stage: to, archive: archives, comment });
    toast(`asked that version ${one.version} gets to ${stageName(to)}`);
    onChanged();
    onClose();
  });
  const send = (event) => { event.preventDefault(); if (edits) move(); else ask(); };
  return html`<${Dialog} title=${title ?? (edits ? `Move version ${one.version}` : `Ask to move version ${one.version}`)} onClose=${onClose}>
    <form class="stack" onSubmit=${send}>
      <label>Stage<select class="wide" autofocus value=${to} onChange=${(event) => setTo(event.currentTarget.value)}>
        ${STAGES.map((stage) => html`<option value=${stage}>${stage === "None" ? "None (no stage)" : stage}</option>`)}</select></label>
      <p class="muted">It is in ${stageName(from)} now.</p>
      ${ACTIVE.includes(to) && html`<label class="check"><input type="checkbox" checked=${archive} onChange=${(event) => setArchive(event.currentTarget.checked)} />
        archive the versions that are in ${to}${others.length > 0 ? ` (${others.slice(0, 5).join(", ")}${others.length > 5 ? ", …" : ""})` : " (none now)"}</label>`}
      <${Why} value=${comment} onInput=${setComment} />
      <${Outcome} wrong=${wrong} conflict=${conflict} present=${`It is in ${stageName(from)} now.`} />
      <footer class="actions"><button type="button" onClick=${onClose}>Cancel</button>
        ${edits && remembers() && html`<button type="button" disabled=${busy} onClick=${ask}>Ask for approval</button>`}
        <button class="primary" disabled=${busy}>${!edits ? "Ask for approval" : conflict ? "Move it all the same" : "Move"}</button></footer>
    </form><//>`;
}

/** Delete a version; one in Production only when that is said twice. */
export function DeleteVersion({ version: one, onClose, onDone }) {
  const [force, setForce] = useState(false);
  const [comment, setComment] = useState("");
  const { wrong, conflict, busy, sending } = useSending(async () => {});
  const produces = one.current_stage === "Production";
  const send = (event) => {
    event.preventDefault();
    sending(async () => {
      await removeVersion({ name: one.name, version: one.version, force, comment });
      toast(`version ${one.version} was deleted`);
      onClose();
      onDone();
    });
  };
  return html`<${Dialog} title=${`Delete version ${one.version}`} onClose=${onClose}>
    <form class="stack" onSubmit=${send}>
      <p>That cannot be taken back, and its number is never used again. The files belong to the run and stay.</p>
      ${(one.aliases ?? []).length > 0 && html`<p>These aliases go with it: ${one.aliases.join(", ")}.</p>`}
      ${produces && html`<label class="check"><input type="checkbox" checked=${force} onChange=${(event) => setForce(event.currentTarget.checked)} /> delete it although it is in Production</label>`}
      <${Why} value=${comment} onInput=${setComment} /><${Outcome} wrong=${wrong} conflict=${conflict} />
      <footer class="actions"><button type="button" onClick=${onClose}>Cancel</button><button class="danger" disabled=${busy || (produces && !force)}>Delete the version</button></footer>
    </form><//>`;
}

/** @param {any} model @returns {Record<string, string>} */
export function aliasesOf(model) {
  return Object.fromEntries((model.aliases ?? []).map(({ alias, version }) => [alias, version]));
}
