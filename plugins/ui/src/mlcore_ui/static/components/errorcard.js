// What went wrong, and what can be done.
import { html } from "../lib/html.js";

/** @param {{error: any, title?: string, onAgain?: () => void}} props */
export function ErrorCard({ error, title = "That did not work", onAgain }) {
  const code = error?.code ? `${error.code}${error.status ? ` (${error.status})` : ""}` : error?.name;
  return html`<section class="card bad" role="alert"><h2>${title}</h2><p>${error?.message ?? String(error)}</p>
    <p class="muted">${code}</p>${onAgain && html`<button onClick=${onAgain}>Try again</button>`}</section>`;
}
