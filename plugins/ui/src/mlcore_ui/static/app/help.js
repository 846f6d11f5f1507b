// The keys of the page that is shown.
import { html, signal } from "../lib/html.js";
import { inForce } from "../lib/keys.js";
import { Dialog } from "../components/dialog.js";

export const helpOpen = signal(false);

const NAMES = { " ": "Space", ArrowDown: "↓", ArrowUp: "↑", ArrowLeft: "←", ArrowRight: "→", "Ctrl+k": "Ctrl K" };

export function Help() {
  if (!helpOpen.value) return null;
  const groups = new Map();
  for (const [label, keys] of inForce.value.values()) {
    const rows = groups.get(label) ?? new Map();
    for (const [name, { about }] of Object.entries(keys.current)) {
      rows.set(about, [...(rows.get(about) ?? []), NAMES[name] ?? name]);
    }
    groups.set(label, rows);
  }
  return html`<${Dialog} title="Keys" wide onClose=${() => { helpOpen.value = false; }}>
    <div class="keys">${[...groups].map(([label, rows]) => html`<section><h3>${label}</h3><dl>
      ${[...rows].map(([about, names]) => html`<div><dt>${names.map((name) => html`<kbd>${name}</kbd> `)}</dt><dd>${about}</dd></div>`)}
    </dl></section>`)}</div>
  <//>`;
}
