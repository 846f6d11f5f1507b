import { html } from "../lib/html.js";

export default function Extension() {
  return html`<h1>…</h1>`;
}
