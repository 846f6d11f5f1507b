// Tags that are changed where they stand.
import { html, useState } from "../../lib/html.js";
import { toast } from "../../components/toast.js";

/**
 * @param {{tags: Record<string, string>, editable: boolean, onSet: (key: string, value: string) => Promise<any>,
 *   onDelete: (key: string) => Promise<any>, onChanged: () => void}} props
 */
export function Tags({ tags, editable, onSet, onDelete, onChanged }) {
  const [open, setOpen] = useState(null);
  const set = async (key, value) => {
    const before = tags[key];
    await onSet(key, value);
    setOpen(null);
    onChanged();
    const back = before === undefined ? () => onDelete(key) : () => onSet(key, before);
    toast(`${key} is set`, { undo: () => tried(back, onChanged) });
  };
  const drop = (key) => tried(async () => {
    await onDelete(key);
    toast(`${key} was removed`, { undo: () => tried(() => onSet(key, tags[key]), onChanged) });
  }, onChanged);
  const names = Object.keys(tags).sort();
  return html`<ul class="tag-list" aria-label="Tags">
    ${names.map((key) => html`<li key=${key} class="tag">
      ${open?.key === key ? html`<${Form} fixed=${key} value=${tags[key]} onSend=${set} onClose=${() => setOpen(null)} />`
      : html`<span class="tag-text" title=${`${key}: ${tags[key]}`}><b>${key}</b> ${tags[key]}</span>${editable && html`
        <button class="plain" aria-label=${`Change the tag ${key}`} title="Change" onClick=${() => setOpen({ key })}>✎</button>
        <button class="plain" aria-label=${`Remove the tag ${key}`} title="Remove" onClick=${() => drop(key)}>✕</button>`}`}</li>`)}
    ${editable && html`<li>${open?.key === null ? html`<${Form} value="" onSend=${set} onClose=${() => setOpen(null)} />`
    : html`<button class="plain add" onClick=${() => setOpen({ key: null })}>+ Add a tag</button>`}</li>`}
    ${!editable && !names.length && html`<li class="muted">no tags</li>`}
  </ul>`;
}

async function tried(step, changed) {
  try {
    await step();
  } catch (error) {
    toast(error.message, { bad: true });
  }
  changed();
}

function Form({ fixed, value, onSend, onClose }) {
  const [key, setKey] = useState(fixed ?? "");
  const [text, setText] = useState(value);
  const [wrong, setWrong] = useState("");
  const send = async (event) => {
    event.preventDefault();
    try {
      await onSend(key, text);
    } catch (error) {
      setWrong(error.message);
    }
  };
  const onKeyDown = (event) => { if (event.key === "Escape") { event.stopPropagation(); onClose(); } };
  return html`<form class="tag-form" onSubmit=${send} onKeyDown=${onKeyDown}>
    ${fixed ? html`<b>${fixed}</b>` : html`<input aria-label="Key of the tag" placeholder="key" required ref=${focused} value=${key} onInput=${(event) => setKey(event.currentTarget.value)} />`}
    <input aria-label="Value of the tag" placeholder="value" ref=${fixed ? focused : undefined} value=${text} onInput=${(event) => setText(event.currentTarget.value)} />
    <button>Save</button><button type="button" class="plain" onClick=${onClose}>Cancel</button>
    ${wrong && html`<span class="wrong" role="alert">${wrong}</span>`}</form>`;
}

/** Put the caret into a field when it comes. */
function focused(element) {
  if (element && !element.dataset.seen) { element.dataset.seen = "1"; element.focus(); }
}
