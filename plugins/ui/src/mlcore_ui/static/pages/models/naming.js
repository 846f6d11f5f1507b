// Create, rename and delete a model.
import { html, useState } from "../../lib/html.js";
import { toast } from "../../components/toast.js";
import { Dialog } from "../../components/dialog.js";
import { createModel, createVersion, removeModel, renameModel } from "./registry.js";

/** Ask for the name of a new model, or for another one of *name*. @param {{name?: string, onClose: () => void, onDone: (name: string) => void}} props */
export function NameModel({ name, onClose, onDone }) {
  const [typed, setTyped] = useState(name ?? "");
  const [about, setAbout] = useState("");
  const [wrong, setWrong] = useState("");
  const send = async (event) => {
    event.preventDefault();
    try {
      if (name === undefined) await createModel(typed, about);
      else await renameModel(name, typed);
    } catch (error) {
      setWrong(error.message);
      return;
    }
    onClose();
    onDone(typed);
    if (name !== undefined && name !== typed) {
      toast(`${name} is called ${typed} now`, { undo: () => renameModel(typed, name).then(() => onDone(name), (error) => toast(error.message, { bad: true })) });
    }
  };
  return html`<${Dialog} title=${name === undefined ? "New model" : `Rename ${name}`} onClose=${onClose}>
    <form class="stack" onSubmit=${send}>
      <label>Name<input class="wide" required autofocus value=${typed} aria-invalid=${Boolean(wrong)} aria-describedby="wrong"
        onInput=${(event) => { setTyped(event.currentTarget.value); setWrong(""); }} /></label>
      ${name === undefined && html`<label>Description, in markdown<textarea class="wide" rows="3" value=${about} onInput=${(event) => setAbout(event.currentTarget.value)}></textarea></label>`}
      ${name !== undefined && html`<p class="muted">Its history goes on under the new name. What loads models:/${name}/… does not find it any more.</p>`}
      <p id="wrong" class="wrong" role="alert">${wrong}</p>
      <footer class="actions"><button type="button" onClick=${onClose}>Cancel</button><button class="primary">${name === undefined ? "Create" : "Rename"}</button></footer>
    </form><//>`;
}

/** Delete a model, once its name was typed. @param {{name: string, onClose: () => void, onDone: () => void}} props */
export function DeleteModel({ name, onClose, onDone }) {
  const [typed, setTyped] = useState("");
  const [wrong, setWrong] = useState("");
  const send = async (event) => {
    event.preventDefault();
    if (typed !== name) return;
    try {
      await removeModel(name);
    } catch (error) {
      setWrong(error.message);
      return;
    }
    onClose();
    toast(`${name} was deleted`);
    onDone();
  };
  return html`<${Dialog} title=${`Delete ${name}`} onClose=${onClose}>
    <form class="stack" onSubmit=${send}>
      <p>All its versions, aliases and tags go with it, and that cannot be taken back. The files of the runs stay, and so does its history.</p>
      <label>Type the model's name<input class="wide" autofocus autocomplete="off" value=${typed} onInput=${(event) => setTyped(event.currentTarget.value)} /></label>
      <p class="wrong" role="alert">${wrong}</p>
      <footer class="actions"><button type="button" onClick=${onClose}>Cancel</button><button class="danger" disabled=${typed !== name}>Delete the model</button></footer>
    </form><//>`;
}

/** Register a version of a model from what a run, or another model, has. */
export function NewVersion({ name, onClose, onDone }) {
  const [source, setSource] = useState("");
  const [about, setAbout] = useState("");
  const [wrong, setWrong] = useState("");
  const send = async (event) => {
    event.preventDefault();
    try {
      const run = /^runs:\/+([^/]+)/.exec(source.trim());
      const made = await createVersion({ name, source: source.trim(), run_id: run ? run[1] : "", description: about });
      onClose();
      onDone(made.model_version);
    } catch (error) {
      setWrong(error.message);
    }
  };
  return html`<${Dialog} title=${`New version of ${name}`} onClose=${onClose}>
    <form class="stack" onSubmit=${send}>
      <label>Source<input class="wide" required autofocus placeholder="runs:/<run id>/model" autocomplete="off" spellcheck=${false} value=${source} aria-invalid=${Boolean(wrong)}
        onInput=${(event) => { setSource(event.currentTarget.value); setWrong(""); }} /></label>
      <label>Description, in markdown<textarea class="wide" rows="3" value=${about} onInput=${(event) => setAbout(event.currentTarget.value)}></textarea></label>
      <p class="muted">Nothing is copied: a version is a name for files that are there. models:/name/1 and models:/m-… are sources, too.</p>
      <p class="wrong" role="alert">${wrong}</p>
      <footer class="actions"><button type="button" onClick=${onClose}>Cancel</button><button class="primary">Register</button></footer>
    </form><//>`;
}
