// What can be done with the selected runs; each change of data can be taken back.
import { html, useState } from "../../lib/html.js";
import { api } from "../../lib/api.js";
import { count } from "../../lib/format.js";
import { Dialog } from "../../components/dialog.js";
import { toast } from "../../components/toast.js";
import { compose } from "./columns.js";
import { change, MOST_IN_ADDRESS } from "./state.js";
import { quoted } from "./language.js";
import { rowsOf } from "./rows.js";

const MOST = 1000;

/** Send the same change of any number of runs. @param {string[]} ids @param {object} action @returns {Promise<{done: string[], failed: object[]}>} */
async function batch(ids, action) {
  const all = { done: [], failed: [] };
  for (let at = 0; at < ids.length; at += MOST) {
    const answer = await api.post("api/ui/1/runs:batch", { run_ids: ids.slice(at, at + MOST), ...action });
    all.done.push(...answer.done);
    all.failed.push(...answer.failed);
  }
  return all;
}

function runs(number) {
  return `${count(number)} ${number === 1 ? "run" : "runs"}`;
}

function told({ failed }) {
  if (failed.length) toast(`${runs(failed.length)} stay as they were: ${failed[0].message}`, { bad: true });
}

/**
 * @param {{selection: import("./state.js").Selection, set: import("./state.js").Settings, ids: string[], edit: boolean, onChanged: () => void}} props
 */
export function Actions({ selection, set, ids, edit, onChanged }) {
  const [tagging, setTagging] = useState(false);
  const chosen = selection.runs.value;
  const all = [...chosen.keys()];
  const deleted = set.stage === "DELETED_ONLY";
  const gone = [...chosen.values()].filter((one) => one.lifecycle_stage === "deleted").length;
  const act = async (verb, some) => {
    try {
      const answer = await batch(some, { action: verb });
      told(answer);
      const back = verb === "delete" ? "restore" : "delete";
      onChanged();
      if (answer.done.length) toast(`${runs(answer.done.length)} ${verb === "delete" ? "deleted" : "restored"}`, { undo: () => act(back, answer.done) });
      if (some === all) selection.set(new Map());
    } catch (error) { toast(error.message, { bad: true }); }
  };
  const pinned = all.length > 0 && all.every((id) => set.pin.includes(id));
  return html`<div class="bar chosen" role="region" aria-label="Selected runs">
    <strong>${runs(all.length)} selected</strong>
    ${!deleted && gone > 0 && html`<span class="muted">${count(gone)} of them deleted</span>`}
    ${all.length > MOST_IN_ADDRESS && html`<span class="muted">more than ${count(MOST_IN_ADDRESS)}: the address does not hold them</span>`}
    <button onClick=${() => change({ view: "compare" }, true)} disabled=${all.length < 2}>Compare <kbd>c</kbd></button>
    <button onClick=${() => change({ view: "table,charts" })}>Chart</button>
    <button onClick=${() => change({ pin: pinned ? set.pin.filter((id) => !all.includes(id)) : [...new Set([...set.pin, ...all])].slice(0, 12) })}>${pinned ? "Let go" : "Keep on top"}</button>
    ${edit && html`<button onClick=${() => setTagging(true)}>Tag…</button>
      ${deleted ? html`<button onClick=${() => act("restore", all)}>Restore</button>` : html`<button onClick=${() => act("delete", all)}>Delete</button>`}`}
    <span class="grow"></span>
    <button class="plain" onClick=${() => selection.set(new Map())}>Clear the selection</button>
    ${tagging && html`<${TagDialog} all=${all} ids=${ids} view=${set.stage} onClose=${() => setTagging(false)} onChanged=${onChanged} />`}
  </div>`;
}

/** What a tag was before, by run. */
async function before(all, ids, view, key) {
  const column = compose({ kind: "tag", key, stat: null });
  const old = new Map();
  for (let at = 0; at < all.length; at += 200) {
    const filter = `attributes.run_id IN (${all.slice(at, at + 200).map(quoted).join(", ")})`;
    const answer = await api.post("api/ui/1/runs:table", { experiment_ids: ids, filter, view, columns: [column], offset: 0, limit: 200 });
    for (const row of rowsOf(answer)) old.set(row.run_id, answer.columns[column][row.at]);
  }
  return old;
}

async function putBack(old, key) {
  const byValue = new Map();
  for (const [id, value] of old) byValue.set(value, [...(byValue.get(value) ?? []), id]);
  for (const [value, some] of byValue) await batch(some, value === null || value === undefined ? { action: "delete_tags", keys: [key] } : { action: "set_tags", tags: { [key]: value } });
}

function TagDialog({ all, ids, view, onClose, onChanged }) {
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const [wrong, setWrong] = useState("");
  const send = async (event, action) => {
    event.preventDefault();
    try {
      const old = await before(all, ids, view, key);
      const answer = await batch(all, action);
      told(answer);
      onClose();
      onChanged();
      toast(`The tag ${key} of ${runs(answer.done.length)} was ${action.action === "set_tags" ? "set" : "removed"}`, { undo: async () => { await putBack(old, key); onChanged(); } });
    } catch (error) { setWrong(error.message); }
  };
  return html`<${Dialog} title=${`Tag of ${runs(all.length)}`} onClose=${onClose}>
    <form onSubmit=${(event) => send(event, { action: "set_tags", tags: { [key]: value } })}>
      <label>Tag<input class="wide" required autofocus value=${key} onInput=${(event) => { setKey(event.currentTarget.value); setWrong(""); }} /></label>
      <label>Value<input class="wide" value=${value} onInput=${(event) => setValue(event.currentTarget.value)} /></label>
      <p class="wrong" role="alert">${wrong}</p>
      <footer class="actions"><button type="button" onClick=${onClose}>Cancel</button>
        <button type="button" disabled=${!key} onClick=${(event) => send(event, { action: "delete_tags", keys: [key] })}>Remove the tag</button><button class="primary">Set the tag</button></footer>
    </form><//>`;
}
