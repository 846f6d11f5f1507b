// The files of a run, a logged model or a version: a tree, and beside it the file that is open.
import { html, useState } from "../../lib/html.js";
import { bytes } from "../../lib/format.js";
import { useKeys } from "../../lib/keys.js";
import { CopyButton } from "../copy.js";
import { ErrorCard } from "../errorcard.js";
import { Guard } from "../guard.js";
import { found, Folders, useFolders } from "./folders.js";
import { downloadUrl, placeKey } from "./place.js";
import { Tree } from "./tree.js";
import { Loading, TakeAway } from "./use.js";
import { viewersOf } from "./viewers.js";
import { FileViewer } from "./fileviewer.js";

/**
 * @param {{place: import("./place.js").Place, path: string, hrefOf: (path: string) => string, onPath: (path: string, more?: {replace?: boolean}) => void,
 *   view?: string, onView?: (id: string|null) => void, tables?: Set<string>, empty?: any, live?: boolean}} props
 * hrefOf, onPath: the address of a file's page, and the way there. view: id of the viewer that the person chose.
 * tables: paths of JSON files that are tables. empty: what stands there when there are no files.
 */
export function ArtifactBrowser({ place, path, hrefOf, onPath, view, onView, tables, empty }) {
  const folders = useFolders(place, path);
  const [turned, setTurned] = useState({ key: "", paths: new Map() });
  const key = placeKey(place);
  const own = turned.key === key ? turned.paths : new Map();
  const open = new Set(Folders.above(path));
  for (const [one, isOpen] of own) { if (isOpen) open.add(one); else open.delete(one); }
  const known = folders.known.value;
  const entered = known.get(path)?.files.length && !(known.get(path).files.length === 1 && known.get(path).files[0].path === path);
  if (path && entered && own.get(path) !== false) open.add(path);
  const onOpen = (one, isOpen) => {
    if (isOpen) folders.load(one);
    setTurned({ key, paths: new Map(own).set(one, isOpen) });
  };
  useKeys({ r: { run: () => { for (const one of known.keys()) folders.load(one, { again: true }); }, about: "look for new files" } }, "Files");
  const root = known.get("");
  if (root?.error && !root.files.length) return html`<${ErrorCard} error=${root.error} title="The files cannot be listed" onAgain=${() => folders.load("", { again: true })} />`;
  if (root && !root.busy && !root.files.length) return empty ?? html`<p class="muted">There are no files.</p>`;
  const { file, error } = found(folders, path);
  return html`<div class="browser"><nav class="files" aria-label="Files"><${Tree} folders=${folders} path=${path} open=${open} onOpen=${onOpen} hrefOf=${hrefOf} onPath=${onPath} label="Files" /></nav>
    <section class="shown" aria-label="Open file">
      ${error && html`<${ErrorCard} error=${error} title="This file cannot be shown" />`}
      ${!error && (file ? html`<${Shown} place=${place} file=${tables?.has(path) ? { ...file, is_table: true } : file} hrefOf=${hrefOf} onPath=${onPath} view=${view} onView=${onView} />` : html`<${Loading} />`)}
    </section></div>`;
}

/** One file in the viewer that fits, with the others to choose from. */
export function Shown({ place, file, hrefOf, onPath, view, onView }) {
  const fits = viewersOf(file);
  const viewer = fits.find((one) => one.id === view) ?? fits[0];
  return html`<header class="bar"><${Crumbs} file=${file} hrefOf=${hrefOf} />
      <span class="muted">${file.is_dir ? "" : [bytes(file.size_bytes), file.mime].filter(Boolean).join(" · ")}</span><span class="grow"></span>
      ${fits.length > 1 && onView && html`<label class="check">Show as <select value=${viewer.id} onChange=${(event) => onView(event.currentTarget.value === fits[0].id ? null : event.currentTarget.value)}>
        ${fits.map((one) => html`<option key=${one.id} value=${one.id} selected=${one.id === viewer.id}>${one.title}</option>`)}</select></label>`}
      ${file.path && html`<${CopyButton} text=${file.path} label="Copy the path" />`}
      ${!file.is_dir && html`<a class="button" href=${downloadUrl(place, file.path)} download=${file.name}>Download</a>`}</header>
    ${viewer && html`<${Guard} of=${`${viewer.id} ${file.path}`} title="This viewer failed"><${FileViewer} key=${`${viewer.id} ${viewer.series ? "" : file.path}`} extension=${viewer} place=${place} file=${file} hrefOf=${hrefOf} onPath=${onPath} /><//>`}
    ${!viewer && html`<div class="viewer"><${TakeAway} files=${{ download: (path) => downloadUrl(place, path) }} file=${file} why="Files of this kind are not shown here." /></div>`}`;
}

function Crumbs({ file, hrefOf }) {
  const parts = file.path ? file.path.split("/") : [];
  return html`<nav class="crumbs" aria-label="Where the file is"><a href=${hrefOf("")}>files</a>${parts.map((part, at) => html` / ${at === parts.length - 1
    ? html`<strong aria-current="page">${part}</strong>` : html`<a href=${hrefOf(parts.slice(0, at + 1).join("/"))}>${part}</a>`}`)}</nav>`;
}
