// Runs side by side.
import { html } from "../../lib/html.js";

/**
 * What is different between runs, and how params and metrics hang together.
 * @param {{runs: {run_id: string, name: string, color: string}[], experimentIds: string[], query: Record<string, string>,
 *   onQuery: (changes: Record<string, string|null>, more?: {replace?: boolean}) => void}} props
 */
export function Compare({ runs }) {
  return html`<section aria-label="Compare"><p class="muted">${runs.length} runs</p></section>`;
}
