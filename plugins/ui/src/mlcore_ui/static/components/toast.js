// Short messages at the edge of the page, with a way back where there is one.
import { html, signal } from "../lib/html.js";

const shown = signal([]);
let next = 0;

/**
 * Tell the person something.
 * @param {string} text @param {{undo?: () => void|Promise<void>, bad?: boolean}} [more]
 */
export function toast(text, { undo, bad = false } = {}) {
  const id = (next += 1);
  shown.value = [...shown.value.slice(-3), { id, text, undo, bad }];
  setTimeout(() => drop(id), undo ? 12000 : bad ? 10000 : 5000);
}

function drop(id) {
  shown.value = shown.value.filter((one) => one.id !== id);
}

export function Toasts() {
  return html`<div class="toasts" role="status" aria-live="polite">
    ${shown.value.map(({ id, text, undo, bad }) => html`<div key=${id} class=${`toast ${bad ? "bad" : ""}`}>
      <span>${text}</span>
      ${undo && html`<button onClick=${() => { drop(id); undo(); }}>Undo</button>`}
      <button class="plain" aria-label="Dismiss" onClick=${() => drop(id)}>✕</button></div>`)}
  </div>`;
}
