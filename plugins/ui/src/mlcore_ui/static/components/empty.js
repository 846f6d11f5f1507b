// Nothing is here yet: why, and what to do.
import { html } from "../lib/html.js";

/** @param {{title: string, note?: string, children?: any}} props */
export function Empty({ title, note, children }) {
  return html`<section class="empty"><h2>${title}</h2>${note && html`<p>${note}</p>`}${children}</section>`;
}
