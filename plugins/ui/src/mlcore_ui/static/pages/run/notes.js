// Notes in Markdown, written where they are read.
import { html, useEffect, useState } from "../../lib/html.js";
import { Markdown } from "../../components/markdown.js";
import { toast } from "../../components/toast.js";
import { unreachable, useBack, write } from "./data.js";
import { focused, tell } from "./head.js";

const NOTE = "mlflow.note.content";

/** What is being written, by the id of the run: it outlives the tab, and pages that are looked at meanwhile. @type {Map<string, string>} */
const drafts = new Map();

// what was not saved would be lost with the document
addEventListener("beforeunload", (event) => { if (drafts.size) event.preventDefault(); });

/** @param {{run: import("./data.js").Run, mayEdit: boolean, onChanged: () => void}} props */
export function Notes({ run, mayEdit, onChanged }) {
  const text = run.tags.get(NOTE) ?? "";
  const id = run.info.run_id;
  const [writing, setWriting] = useState({ id, draft: drafts.get(id) ?? null });
  const draft = writing.id === id ? writing.draft : drafts.get(id) ?? null;
  const [wrong, setWrong] = useState("");
  const [away, setAway] = useState(false);
  const setDraft = (next) => {
    if (next === null || next === text) drafts.delete(id);
    else drafts.set(id, next);
    setWriting({ id, draft: next });
  };
  useEffect(() => { setWrong(""); setAway(false); }, [id]);
  useBack(away, () => { setAway(false); setWrong(""); toast("The server answers again"); });
  const save = async (event) => {
    event.preventDefault();
    try {
      await write.tag(id, NOTE, draft);
      setDraft(null);
      setWrong("");
      setAway(false);
      onChanged();
      toast("The notes were saved", { undo: () => write.tag(id, NOTE, text).then(onChanged, tell) });
    } catch (error) { setAway(unreachable(error)); setWrong(`${error.message}. What you wrote is still here.`); }
  };
  const onKeyDown = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save(event);
    if (event.key === "Escape" && draft === text) setDraft(null);
  };
  if (draft === null && !text && !mayEdit) return null;
  return html`<section class="part" aria-labelledby="notes"><div class="bar"><h2 id="notes">Notes</h2><span class="grow"></span>
      ${mayEdit && draft === null && html`<button onClick=${() => setDraft(text)}>${text ? "Edit" : "Write notes"}</button>`}</div>
    ${draft === null ? text && html`<div class="card"><${Markdown} text=${text} /></div>`
    : html`<form onSubmit=${save}><textarea class="wide" rows="8" aria-label="Notes in Markdown" aria-describedby="notes-how" ref=${focused} value=${draft} onInput=${(event) => setDraft(event.currentTarget.value)} onKeyDown=${onKeyDown}></textarea>
      <p id="notes-how" class="muted">Markdown; HTML in it is shown as text. Ctrl+Enter saves.</p>
      <p class="wrong" role="alert">${wrong}</p>
      <footer class="actions"><button type="button" onClick=${() => { setDraft(null); setWrong(""); setAway(false); }}>Cancel</button><button class="primary">Save</button></footer>
      ${draft.trim() && html`<div class="card" aria-label="How it will look" role="region"><${Markdown} text=${draft} /></div>`}</form>`}</section>`;
}
