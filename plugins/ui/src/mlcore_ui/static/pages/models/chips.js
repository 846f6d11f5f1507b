// Aliases and stages, short.
import { html } from "../../lib/html.js";
import { href } from "../../lib/url.js";

/** @param {{name: string, alias: string, version?: string}} props */
export function AliasChip({ name, alias, version }) {
  if (!version) return html`<span class="chip alias">@${alias}</span>`;
  return html`<a class="chip alias" href=${href(`models/${name}/${version}`)} title=${`${alias} points to version ${version}`}>@${alias} → ${version}</a>`;
}

/** @param {{stage: string, name?: string, version?: string}} props */
export function StageChip({ stage, name, version }) {
  const look = `chip stage ${stage.toLowerCase()}`;
  if (version) return html`<a class=${look} href=${href(`models/${name}/${version}`)}>${stage}: ${version}</a>`;
  return html`<span class=${look}>${stage === "None" ? "no stage" : stage}</span>`;
}
