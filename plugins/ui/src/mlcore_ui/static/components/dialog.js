// A modal dialog: the browser's own, so that focus and Escape are right.
import { html, useEffect, useRef } from "../lib/html.js";

/** @param {{title: string, onClose: () => void, wide?: boolean, children: any}} props */
export function Dialog({ title, onClose, wide, children }) {
  const element = useRef(null);
  useEffect(() => {
    const before = document.activeElement;
    element.current.showModal();
    return () => { if (before instanceof HTMLElement && before.isConnected) before.focus(); };
  }, []);
  return html`<dialog ref=${element} class=${wide ? "wide" : ""} aria-label=${title} onClose=${onClose}
    onClick=${(event) => { if (event.target === element.current) element.current.close(); }}>
    <div class="dialog-body">
      <header><h2>${title}</h2><button class="plain" aria-label="Close" onClick=${() => element.current.close()}>✕</button></header>
      ${children}
    </div>
  </dialog>`;
}

/**
 * Ask before something that cannot be taken back.
 * @param {{title: string, text: string, action: string, onDo: () => void, onClose: () => void}} props
 */
export function Confirm({ title, text, action, onDo, onClose }) {
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <p>${text}</p>
    <footer class="actions"><button onClick=${onClose}>Cancel</button>
      <button class="danger" onClick=${() => { onDo(); onClose(); }}>${action}</button></footer>
  <//>`;
}
