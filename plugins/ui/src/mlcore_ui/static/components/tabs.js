// Tabs that are links: each has an address, and the number keys lead there.
import { html } from "../lib/html.js";
import { useKeys } from "../lib/keys.js";

/** @param {{tabs: {id: string, title: string, href: string, count?: number}[], current: string, onGo: (id: string) => void, label: string}} props */
export function Tabs({ tabs, current, onGo, label }) {
  const keys = Object.fromEntries(tabs.slice(0, 9).map((tab, at) => [String(at + 1), { run: () => onGo(tab.id), about: `tab “${tab.title}”` }]));
  useKeys(keys, label);
  return html`<nav class="tabs" aria-label=${label}>${tabs.map((tab) => html`<a key=${tab.id} href=${tab.href}
    aria-current=${tab.id === current ? "page" : undefined}>${tab.title}${tab.count !== undefined && html` <span class="count">${tab.count}</span>`}</a>`)}</nav>`;
}
