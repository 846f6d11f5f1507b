// The folders of a place that were looked into, asked for when they are opened.
import { signal, useEffect, useMemo } from "../../lib/html.js";
import { folderOf, listed, nameOf, placeKey } from "./place.js";

/** What is known of the folders of one place. */
class Folders {
  constructor(place) {
    this.place = place;
    /** path of a folder to {files, token, busy, error} */
    this.known = signal(new Map());
  }

  set(path, changes) {
    const before = this.known.peek().get(path) ?? { files: [], token: "", busy: false, error: undefined };
    this.known.value = new Map(this.known.peek()).set(path, { ...before, ...changes });
  }

  /** Look into a folder, unless that was done. */
  async load(path, { again = false } = {}) {
    const before = this.known.peek().get(path);
    if (before && !again && !before.error) return;
    await this.fetch(path, "", []);
  }

  /** The next thousand files. */
  async more(path) {
    const { files, token } = this.known.peek().get(path);
    await this.fetch(path, token, files);
  }

  async fetch(path, token, files) {
    this.set(path, { busy: true, error: undefined });
    try {
      const page = await listed(this.place, path, { token });
      this.set(path, { files: [...files, ...page.files], token: page.next_page_token ?? "", busy: false });
    } catch (error) {
      this.set(path, { error, busy: false });
    }
  }

  /** The folders above a path, from the root on. */
  static above(path) {
    const out = [""];
    for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) out.push(path.slice(0, at));
    return out;
  }
}

/** @param {import("./place.js").Place} place @param {string} path that is open: the folders above it are looked into */
export function useFolders(place, path) {
  const key = placeKey(place);
  const folders = useMemo(() => new Folders(place), [key]);
  useEffect(() => { for (const one of Folders.above(path)) folders.load(one); }, [folders, path]);
  return folders;
}

export { Folders };

/**
 * The file at a path, or null while it is not known; a folder with what is in it.
 * @returns {{file: import("./place.js").ShownFile|null, error?: Error}}
 */
export function found(folders, path) {
  const known = folders.known.value;
  const asFolder = (entry) => ({ path, name: nameOf(path), is_dir: true, size_bytes: null, mime: null, inside: entry.files, more: Boolean(entry.token) });
  if (path === "") {
    const root = known.get("");
    if (root?.error) return { file: null, error: root.error };
    return { file: root && !root.busy ? asFolder(root) : null };
  }
  const parent = known.get(folderOf(path));
  if (parent?.error) return { file: null, error: parent.error };
  const entry = parent?.files.find((one) => one.path === path);
  if (entry && !entry.is_dir) return { file: { ...entry, beside: parent.files } };
  if (!parent || (parent.busy && !entry)) return { file: null };
  // a folder, or a file that comes after the first thousand: both are asked for by their own path
  const own = known.get(path);
  if (!own) { queueMicrotask(() => folders.load(path)); return { file: null }; }
  if (own.error) return { file: null, error: own.error };
  if (own.busy && !own.files.length) return { file: null };
  if (own.files.length === 1 && own.files[0].path === path && !own.files[0].is_dir) return { file: { ...own.files[0], beside: parent.files } };
  if (!entry && !own.files.length) return { file: null, error: new Error(`there is no file or folder “${path}” here`) };
  return { file: asFolder(own) };
}
