// A modal dialog: the browser's own, so that focus and Escape are right.
import { html, useEffect, useRef } from "../lib/html.js";

/** @param {{title: string, onClose: (() => void)|null, wide?: boolean, children: any}} props onClose: null for one that has to be answered */
export function Dialog({ title, onClose, wide, children }) {
  const element = useRef(null);
  useEffect(() => {
    const before = document.activeElement;
    element.current.showModal();
    return () => { if (before instanceof HTMLElement && before.isConnected) before.focus(); };
  }, []);
  return html`<dialog ref=${element} class=${wide ? "wide" : ""} aria-label=${title} onClose=${onClose ?? (() => element.current?.showModal())}
    onCancel=${(event) => { if (!onClose) event.preventDefault(); }}
    onClick=${(event) => { if (onClose && event.target === element.current) element.current.close(); }}>
    <div class="dialog-body">
      <header><h2>${title}</h2>${onClose && html`<button class="plain" aria-label="Close" onClick=${() => element.current.close()}>✕</button>`}</header>
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
