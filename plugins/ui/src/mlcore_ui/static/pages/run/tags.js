// Tags, changed where they stand; those that programs set are shown apart and stay as they are.
import { html, useState } from "../../lib/html.js";
import { toast } from "../../components/toast.js";
import { write } from "./data.js";
import { focused, tell } from "./head.js";
import { Section } from "./section.js";

const OF_PROGRAMS = /^(mlflow|mlcore)\./;

/** @param {{run: import("./data.js").Run, mayEdit: boolean, onChanged: () => void}} props */
export function Tags({ run, mayEdit, onChanged }) {
  const [editing, setEditing] = useState(null);
  const id = run.info.run_id;
  const all = [...run.tags].sort(([a], [b]) => (a < b ? -1 : 1));
  const own = all.filter(([key]) => !OF_PROGRAMS.test(key));
  const others = all.filter(([key]) => OF_PROGRAMS.test(key) && key !== "mlflow.note.content");
  const save = async (key, value) => {
    await write.tag(id, key, value);
    setEditing(null);
    onChanged();
  };
  const remove = async (key, value) => {
    try {
      await write.untag(id, key);
      onChanged();
      toast(`The tag ${key} was removed`, { undo: () => write.tag(id, key, value).then(onChanged, tell) });
    } catch (error) { tell(error); }
  };
  const add = mayEdit && html`<button onClick=${() => setEditing("")}>Add a tag</button>`;
  return html`<${Section} id="tags" title="Tags" what="tags" rows=${own} text=${([key, value]) => `${key} ${value}`} actions=${add} empty=${editing === "" ? "" : "None yet."}>
    ${(shown) => html`<div class="scroll" tabindex="0" role="region" aria-labelledby="tags"><table class="plain dense pairs"><tbody>${shown.map(([key, value]) => (editing === key
      ? html`<tr key=${key}><td colspan="3"><${Editor} name=${key} value=${value} onSave=${save} onCancel=${() => setEditing(null)} /></td></tr>`
      : html`<tr key=${key}><th scope="row">${key}</th><td>${value}</td><td class="actions">${mayEdit && html`<button class="copy" aria-label=${`Change the tag ${key}`} onClick=${() => setEditing(key)}>Change</button>
          <button class="copy" aria-label=${`Remove the tag ${key}`} onClick=${() => remove(key, value)}>Remove</button>`}</td></tr>`))}</tbody></table></div>`}
    <//>
    ${editing === "" && html`<${Editor} onSave=${save} onCancel=${() => setEditing(null)} />`}
    ${others.length > 0 && html`<details class="programs"><summary>Tags that programs set (${others.length})</summary><div class="scroll"><table class="plain dense pairs"><tbody>
      ${others.map(([key, value]) => html`<tr key=${key}><th scope="row">${key}</th><td>${value}</td></tr>`)}</tbody></table></div></details>`}`;
}

function Editor({ name, value = "", onSave, onCancel }) {
  const [key, setKey] = useState(name ?? "");
  const [text, setText] = useState(value);
  const [wrong, setWrong] = useState("");
  const send = async (event) => {
    event.preventDefault();
    try { await onSave(key.trim(), text); } catch (error) { setWrong(error.message); }
  };
  const onKeyDown = (event) => { if (event.key === "Escape") onCancel(); };
  return html`<form class="tag-editor" onSubmit=${send} onKeyDown=${onKeyDown}>
    ${name === undefined && html`<input required aria-label="Name of the tag" placeholder="name" value=${key} ref=${focused} onInput=${(event) => setKey(event.currentTarget.value)} />`}
    ${name !== undefined && html`<strong>${name}</strong>`}
    <input class="grow" aria-label="Value of the tag" placeholder="value" value=${text} ref=${name === undefined ? undefined : focused} onInput=${(event) => setText(event.currentTarget.value)} />
    <button class="primary">Save</button><button type="button" onClick=${onCancel}>Cancel</button>
    ${wrong && html`<p class="wrong" role="alert">${wrong}</p>`}</form>`;
}
