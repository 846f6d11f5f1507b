// A description in markdown that is changed where it stands.
import { html, useEffect, useRef, useState } from "../../lib/html.js";
import { Markdown } from "../../components/markdown.js";

/** @param {{text: string, editable: boolean, label: string, onSave: (text: string) => Promise<any>, onChanged: () => void}} props */
export function Notes({ text, editable, label, onSave, onChanged }) {
  const [typed, setTyped] = useState(null);
  const [wrong, setWrong] = useState("");
  const area = useRef(null);
  const open = typed !== null;
  useEffect(() => { if (open) area.current?.focus(); }, [open]);
  if (!open) {
    return html`<section class="notes" aria-label=${label}>
      ${text ? html`<${Markdown} text=${text} />` : html`<p class="muted">${editable ? "Nobody has described it yet." : "no description"}</p>`}
      ${editable && html`<button class="plain edit" onClick=${() => setTyped(text)}>✎ ${text ? "Edit the description" : "Describe it"}</button>`}
    </section>`;
  }
  const close = () => { setTyped(null); setWrong(""); };
  const save = async (event) => {
    event?.preventDefault();
    try {
      await onSave(typed);
      close();
      onChanged();
    } catch (error) {
      // what was typed stays
      setWrong(error.message);
    }
  };
  const onKeyDown = (event) => {
    if (event.key === "Escape" && typed === text) { event.stopPropagation(); close(); }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save(event);
  };
  return html`<form class="notes" aria-label=${label} onSubmit=${save} onKeyDown=${onKeyDown}>
    <div class="side-by-side"><textarea ref=${area} aria-label=${label} rows="8" value=${typed} onInput=${(event) => setTyped(event.currentTarget.value)}></textarea>
      <div class="preview" role="region" aria-label="How it will look"><${Markdown} text=${typed} /></div></div>
    <p class="wrong" role="alert">${wrong}</p>
    <footer class="actions"><span class="muted grow">Markdown. Ctrl Enter saves.</span><button type="button" onClick=${close}>Cancel</button><button class="primary">Save</button></footer>
  </form>`;
}
