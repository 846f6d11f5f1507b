// What the run was given.
import { html } from "../../lib/html.js";
import { CopyButton } from "../../components/copy.js";
import { Section } from "./section.js";

/** @param {{run: import("./data.js").Run}} props */
export function Params({ run }) {
  const rows = run.params;
  const copy = rows.length > 0 && html`<${CopyButton} text=${JSON.stringify(Object.fromEntries(rows), null, 2)} label="Copy all params as JSON" />`;
  return html`<${Section} id="params" title="Params" what="params" rows=${rows} text=${([key, value]) => `${key} ${value}`} actions=${copy} empty="None were recorded.">
    ${(shown) => html`<div class="scroll" tabindex="0" role="region" aria-labelledby="params"><table class="plain dense pairs"><tbody>${shown.map(([key, value]) => html`<tr key=${key}><th scope="row">${key}</th><td>${value}</td>
      <td class="actions"><${CopyButton} text=${value} label=${`Copy the value of ${key}`} /></td></tr>`)}</tbody></table></div>`}
  <//>`;
}
