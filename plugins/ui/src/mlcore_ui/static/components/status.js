// The state of a run, by colour and by word.
import { html } from "../lib/html.js";
import { status as word } from "../lib/format.js";

/** @param {{status: string}} props */
export function Status({ status }) {
  return html`<span class=${`status ${word(status)}`}>${word(status)}</span>`;
}
