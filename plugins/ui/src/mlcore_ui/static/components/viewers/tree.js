// Folders and files as a tree that is walked by arrow keys; every row is a link.
import { html, useRef } from "../../lib/html.js";
import { bytes } from "../../lib/format.js";
import { folderOf } from "./place.js";

/**
 * @param {{folders: any, path: string, open: Set<string>, onOpen: (path: string, open: boolean) => void, hrefOf: (path: string) => string, onPath: (path: string) => void, label: string}} props
 */
export function Tree({ folders, path, open, onOpen, hrefOf, onPath, label }) {
  const element = useRef(null);
  const rows = [];
  walk(folders.known.value, "", 1, open, rows);
  const current = rows.some((one) => one.file?.path === path) ? path : rows[0]?.file?.path;
  const focus = (row) => { element.current?.querySelectorAll("[role=treeitem]")[rows.filter((one) => one.file).indexOf(row)]?.focus(); };
  const onKeyDown = (event, row) => {
    const files = rows.filter((one) => one.file);
    const at = files.indexOf(row);
    const { file } = row;
    const parent = files.find((one) => one.file.path === folderOf(file.path));
    const does = {
      ArrowDown: () => focus(files[Math.min(at + 1, files.length - 1)]),
      ArrowUp: () => focus(files[Math.max(at - 1, 0)]),
      Home: () => focus(files[0]),
      End: () => focus(files.at(-1)),
      ArrowRight: () => { if (file.is_dir && !open.has(file.path)) onOpen(file.path, true); else if (file.is_dir) focus(files[at + 1]); },
      ArrowLeft: () => { if (file.is_dir && open.has(file.path)) onOpen(file.path, false); else if (parent) focus(parent); },
      " ": () => onPath(file.path),
    }[event.key];
    if (!does || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    does();
  };
  const toggle = (event, file) => {
    event.preventDefault();
    event.stopPropagation();
    onOpen(file.path, !open.has(file.path));
  };
  return html`<ul class="tree" role="tree" aria-label=${label} ref=${element}>${rows.map((row) => (row.file
    ? html`<li role="none" key=${row.file.path}><a role="treeitem" href=${hrefOf(row.file.path)} aria-level=${row.level} aria-selected=${row.file.path === path}
        aria-expanded=${row.file.is_dir ? open.has(row.file.path) : undefined} tabindex=${row.file.path === current ? 0 : -1} style=${{ paddingLeft: `${(row.level - 1) * 14 + 6}px` }}
        title=${row.file.name} onKeyDown=${(event) => onKeyDown(event, row)}>
        <span class=${`twist ${row.file.is_dir ? (open.has(row.file.path) ? "open" : "shut") : ""}`} aria-hidden="true" onClick=${row.file.is_dir ? (event) => toggle(event, row.file) : undefined}></span>
        <span class="label">${row.file.name}</span><span class="size">${row.file.is_dir ? "" : bytes(row.file.size_bytes)}</span></a></li>`
    : html`<li role="none" key=${`more ${row.of}`} style=${{ paddingLeft: `${(row.level - 1) * 14 + 26}px` }}>${row.error ? html`<span class="wrong">${row.error.message}</span>`
      : row.busy ? html`<span class="muted">Loading…</span>` : html`<button onClick=${() => folders.more(row.of)}>More</button>`}</li>`))}</ul>`;
}

function walk(known, path, level, open, rows) {
  const entry = known.get(path);
  if (!entry) return;
  for (const file of entry.files) {
    if (file.path === path) continue;
    rows.push({ file, level });
    if (file.is_dir && open.has(file.path)) walk(known, file.path, level + 1, open, rows);
  }
  if (entry.error || entry.busy || entry.token) rows.push({ of: path, level, error: entry.error, busy: entry.busy });
}
