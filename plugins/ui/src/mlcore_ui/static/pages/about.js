// This server: versions, stores, plugins, who is looking.
import { html } from "../lib/html.js";
import { manifest, sessionError } from "../lib/session.js";
import { ErrorCard } from "../components/errorcard.js";

export default function About() {
  const told = manifest.value;
  if (sessionError.value) return html`<${ErrorCard} error=${sessionError.value} title="The server could not be asked" />`;
  if (!told) return html`<p class="muted">Loading…</p>`;
  const rows = [
    ["mlcore", told.version],
    ["Signed in as", told.user ? `${told.user.name}${told.user.is_admin ? " (administrator)" : ""}` : "no login: everyone who reaches this server may do everything"],
    ["Users and permissions", told.auth ?? "none"],
    ["Runs are stored in", told.tracking?.kind],
    ["Models are stored in", told.registry?.kind],
  ];
  return html`<h1>About this server</h1>
    <dl class="facts">${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    <h2>Plugins</h2>
    <table class="plain"><thead><tr><th>Distribution</th><th>Version</th></tr></thead>
    <tbody>${(told.plugins ?? []).map((one) => html`<tr><td>${one.name}</td><td>${one.version}</td></tr>`)}</tbody></table>`;
}
