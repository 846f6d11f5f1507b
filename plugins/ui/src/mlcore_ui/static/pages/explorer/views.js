// Views with a name: an address that everybody who sees the experiment can open.
import { html, useState } from "../../lib/html.js";
import { api } from "../../lib/api.js";
import { navigate, route } from "../../lib/url.js";
import { ago } from "../../lib/format.js";
import { useLoad } from "../../lib/load.js";
import { Dialog } from "../../components/dialog.js";
import { ErrorCard } from "../../components/errorcard.js";
import { toast } from "../../components/toast.js";

/** @param {{experimentId: string, edit: boolean, onClose: () => void}} props */
export function Views({ experimentId, edit, onClose }) {
  const [title, setTitle] = useState("");
  const [renamed, setRenamed] = useState("");
  const { data, error, again } = useLoad(`views:${experimentId}`, (signal) => api.get("api/ui/1/views", { experiment_id: experimentId }, signal));
  const save = async (one) => {
    try {
      await api.post("api/ui/1/views", { experiment_id: experimentId, ...one });
      setTitle("");
      again();
    } catch (wrong) { toast(wrong.message, { bad: true }); }
  };
  const update = async (one, changes) => {
    try {
      await api.patch("api/ui/1/views", { experiment_id: experimentId, view_id: one.view_id, ...changes });
      setRenamed("");
      again();
    } catch (wrong) { toast(wrong.message, { bad: true }); return; }
    if (changes.query !== undefined) toast(`The view ${one.title} now opens what is shown here`, { undo: () => update(one, { query: one.query }) });
  };
  const remove = async (one) => {
    try {
      await api.del("api/ui/1/views", { experiment_id: experimentId, view_id: one.view_id });
      again();
      toast(`The view ${one.title} was removed`, { undo: () => save({ title: one.title, query: one.query }) });
    } catch (wrong) { toast(wrong.message, { bad: true }); }
  };
  const open = (one) => {
    onClose();
    navigate(route.peek().path, { query: Object.fromEntries(new URLSearchParams(one.query)) });
  };
  const views = data?.views ?? [];
  return html`<${Dialog} title="Views" onClose=${onClose}>
    ${error && html`<${ErrorCard} error=${error} onAgain=${again} />`}
    ${data && !views.length && html`<p class="muted">No view has a name yet. A view is what the address says: filter, order, columns, groups, selection and charts.</p>`}
    <ul class="picks">${views.map((one) => (one.view_id === renamed ? html`<${Rename} key=${one.view_id} one=${one} onDone=${(name) => (name === null ? setRenamed("") : update(one, { title: name }))} />` : html`<li key=${one.view_id}><button class="plain view-name" onClick=${() => open(one)}>${one.title}</button>
      <span class="muted">${one.user ?? ""} ${ago(one.time)}</span>
      ${edit && html`<button class="plain" aria-label=${`Rename the view ${one.title}`} onClick=${() => setRenamed(one.view_id)}>Rename</button>
        <button class="plain" aria-label=${`Point the view ${one.title} to what is shown here`} disabled=${one.query === here()} onClick=${() => update(one, { query: here() })}>Update</button>
        <button class="plain" aria-label=${`Remove the view ${one.title}`} onClick=${() => remove(one)}>✕</button>`}</li>`))}</ul>
    ${edit && html`<form class="bar" onSubmit=${(event) => { event.preventDefault(); save({ title, query: here() }); }}>
      <label class="grow">Name of this view<input class="wide" required maxlength="200" value=${title} onInput=${(event) => setTitle(event.currentTarget.value)} /></label>
      <button class="primary">Save</button></form>`}<//>`;
}

/** What the address says now. */
function here() {
  return location.search.replace(/^\?/, "");
}

/** A view whose name is being written. @param {{one: {title: string}, onDone: (name: string|null) => void}} props */
function Rename({ one, onDone }) {
  const [name, setName] = useState(one.title);
  const onKeyDown = (event) => {
    if (event.key !== "Escape") return;
    // the dialog stays
    event.preventDefault();
    event.stopPropagation();
    onDone(null);
  };
  return html`<li><form class="bar" onSubmit=${(event) => { event.preventDefault(); onDone(name); }}>
    <input class="wide" required autofocus maxlength="200" aria-label=${`New name of the view ${one.title}`} value=${name} onInput=${(event) => setName(event.currentTarget.value)} onKeyDown=${onKeyDown} />
    <button class="primary">Rename</button><button type="button" onClick=${() => onDone(null)}>Cancel</button></form></li>`;
}
