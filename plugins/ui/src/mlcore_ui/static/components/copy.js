// Texts to take away.
import { html, useState } from "../lib/html.js";

/** @param {{text: string, label?: string}} props */
export function CopyButton({ text, label = "Copy" }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await put(text);
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  return html`<button class="copy" onClick=${copy} aria-label=${label} title=${label}>${done ? "Copied" : "Copy"}</button>`;
}

/** A piece of code that works when it is pasted. @param {{code: string, label?: string}} props */
export function Snippet({ code, label = "Copy the code" }) {
  return html`<div class="snippet"><pre tabindex="0"><code>${code}</code></pre><${CopyButton} text=${code} label=${label} /></div>`;
}

async function put(text) {
  if (navigator.clipboard && isSecureContext) { await navigator.clipboard.writeText(text); return; }
  // plain HTTP has no clipboard for scripts; a selection has
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "offscreen";
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
