// Name, description and tags of an experiment: shown, and edited.
import { html, useState } from "../../lib/html.js";
import { api } from "../../lib/api.js";
import { Dialog } from "../../components/dialog.js";
import { Markdown } from "../../components/markdown.js";
import { toast } from "../../components/toast.js";

const MLFLOW = "ajax-api/2.0/mlflow/experiments";
const NOTE = "mlflow.note.content";

/** @param {{text: string}} props */
export function Note({ text }) {
  const long = text.length > 160 || text.trim().includes("\n");
  const [open, setOpen] = useState(!long);
  return html`<section class=${`note ${open ? "" : "short"}`} aria-label="Description"><${Markdown} text=${text} />
    ${long && html`<button class="plain" aria-expanded=${open} onClick=${() => setOpen(!open)}>${open ? "Show less" : "Show all"}</button>`}</section>`;
}

/** The dialog that edits. @param {{kind: "rename"|"note"|"tags", one: any, tags: Record<string, string>, onClose: () => void, onChanged: () => void}} props */
export function Ask(props) {
  return props.kind === "tags" ? html`<${Tags} ...${props} />` : html`<${Text} ...${props} />`;
}

function Text({ kind, one, tags, onClose, onChanged }) {
  const before = kind === "rename" ? one.name : tags[NOTE] ?? "";
  const [text, setText] = useState(before);
  const [wrong, setWrong] = useState("");
  const put = (value) => (kind === "rename"
    ? api.post(`${MLFLOW}/update`, { experiment_id: one.experiment_id, new_name: value })
    : api.post(`${MLFLOW}/set-experiment-tag`, { experiment_id: one.experiment_id, key: NOTE, value }));
  const send = async (event) => {
    event.preventDefault();
    try {
      await put(text);
      onClose();
      onChanged();
      toast(kind === "rename" ? "Renamed" : "Description kept", { undo: async () => { await put(before); onChanged(); } });
    } catch (error) {
      setWrong(error.message);
    }
  };
  const onInput = (event) => { setText(event.currentTarget.value); setWrong(""); };
  return html`<${Dialog} title=${kind === "rename" ? `Rename ${one.name}` : "Description"} onClose=${onClose} wide=${kind === "note"}>
    <form onSubmit=${send}>${kind === "rename"
    ? html`<label>Name<input class="wide" required autofocus value=${text} onInput=${onInput} /></label>`
    : html`<label>Markdown<textarea class="wide" rows="10" autofocus value=${text} onInput=${onInput}></textarea></label>${text && html`<h3>As it is shown</h3><${Markdown} text=${text} />`}`}
      <p class="wrong" role="alert">${wrong}</p>
      <footer class="actions"><button type="button" onClick=${onClose}>Cancel</button><button class="primary">${kind === "rename" ? "Rename" : "Keep"}</button></footer>
    </form><//>`;
}

function Tags({ one, tags, onClose, onChanged }) {
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const [wrong, setWrong] = useState("");
  const shown = Object.entries(tags).filter(([name]) => !name.startsWith("mlflow.") && !name.startsWith("mlcore."));
  const tell = async (work) => {
    try { await work(); setWrong(""); onChanged(); } catch (error) { setWrong(error.message); }
  };
  const add = (event) => {
    event.preventDefault();
    tell(async () => { await api.post(`${MLFLOW}/set-experiment-tag`, { experiment_id: one.experiment_id, key, value }); setKey(""); setValue(""); });
  };
  const remove = (name) => tell(() => api.post(`${MLFLOW}/delete-experiment-tag`, { experiment_id: one.experiment_id, key: name }));
  return html`<${Dialog} title=${`Tags of ${one.name}`} onClose=${onClose}>
    <table class="plain"><tbody>${shown.map(([name, text]) => html`<tr key=${name}><th scope="row">${name}</th><td>${text}</td>
      <td class="right"><button aria-label=${`Remove the tag ${name}`} onClick=${() => remove(name)}>Remove</button></td></tr>`)}</tbody></table>
    <form class="bar" onSubmit=${add}><label>Tag <input required value=${key} onInput=${(event) => setKey(event.currentTarget.value)} /></label>
      <label>Value <input value=${value} onInput=${(event) => setValue(event.currentTarget.value)} /></label><button class="primary">Set</button></form>
    <p class="wrong" role="alert">${wrong}</p><//>`;
}
