// What a model takes and gives, as text and as tables.
import { html } from "../../lib/html.js";

const PARTS = [["inputs", "Inputs"], ["outputs", "Outputs"], ["params", "Params"]];

/** @param {{signature: any}} props */
export function Signature({ signature }) {
  if (!signature) return html`<p class="muted">The model has no signature: what it takes is not checked.</p>`;
  return html`<div class="signature">${PARTS.filter(([part]) => signature[part]).map(([part, title]) => html`<section key=${part}><h3>${title}</h3>
    <div class="scroll"><table class="plain"><thead><tr><th>Name</th><th>Type</th><th>${part === "params" ? "Default" : "Required"}</th></tr></thead>
      <tbody>${signature[part].map((one, at) => html`<tr><th scope="row">${one.name ?? html`<span class="muted">#${at + 1}</span>`}</th><td><code>${typeText(one)}</code></td>
        <td>${part === "params" ? JSON.stringify(one.default ?? null) : one.required === false ? "no" : "yes"}</td></tr>`)}</tbody></table></div></section>`)}</div>`;
}

/** The type of a column, a tensor or a param: "double", "float32 (-1, 28, 28)", "[string]", "{a: long, b?: string}". */
export function typeText(one) {
  if (!one || typeof one !== "object") return String(one);
  if (one.type === "tensor" && one["tensor-spec"]) return `${one["tensor-spec"].dtype} (${(one["tensor-spec"].shape ?? []).join(", ")})`;
  if (one.type === "array") return `[${typeText(one.items)}]`;
  if (one.type === "map") return `{…: ${typeText(one.values)}}`;
  if (one.type === "object") {
    return `{${Object.entries(one.properties ?? {}).map(([name, inner]) => `${name}${inner?.required === false ? "?" : ""}: ${typeText(inner)}`).join(", ")}}`;
  }
  return `${one.type ?? "?"}${one.shape ? ` (${one.shape.join(", ")})` : ""}`;
}

/** A signature as rows of name and text, to be compared. @returns {Map<string, string>} */
export function signatureRows(signature) {
  const rows = new Map();
  for (const [part, title] of PARTS) {
    for (const [at, one] of (signature?.[part] ?? []).entries()) {
      const required = part === "params" ? `, default ${JSON.stringify(one.default ?? null)}` : one.required === false ? ", optional" : "";
      rows.set(`${title.toLowerCase().slice(0, -1)} ${one.name ?? at + 1}`, typeText(one) + required);
    }
  }
  return rows;
}

/** Requirements by name: "scikit-learn" -> "==1.5.0". @param {string[]} lines @returns {Map<string, string>} */
export function requirementRows(lines) {
  const rows = new Map();
  for (const line of lines ?? []) {
    const found = /^([A-Za-z0-9][A-Za-z0-9._-]*(?:\[[^\]]*\])?)\s*(.*)$/.exec(line);
    rows.set(found ? found[1] : line, found ? found[2] || "any" : "listed");
  }
  return rows;
}
