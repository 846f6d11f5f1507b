// What viewers have in common.
import { html, useEffect, useRef, useState } from "../../lib/html.js";
import { useLoad } from "../../lib/load.js";
import { bytes } from "../../lib/format.js";

/** The address of a file for an element; `renew` asks for another ticket, once if nobody insists. */
export function useRaw(files, path, within = "") {
  const key = `${files.key}\n${path}\n${within}`;
  const [turn, setTurn] = useState({ key, fresh: 0 });
  const fresh = turn.key === key ? turn.fresh : 0;
  const { data, error } = useLoad(`${key}\n${fresh}`, () => files.url(path, { within, fresh: fresh > 0 }).then((url) => ({ key, url })));
  const tried = useRef("");
  // the address before is that of another file
  return { url: data?.key === key ? data.url : undefined, error, renew: ({ insist = false } = {}) => {
    if (tried.current === key && !insist) return false;
    tried.current = key;
    setTurn({ key, fresh: fresh + 1 });
    return true;
  } };
}

/** A file as text, up to *most* bytes. */
export function useText(files, file, most) {
  const key = `${files.key}\n${file.path}\n${file.size_bytes}`;
  const { data, error, again } = useLoad(key, async (signal) => ({ key, ...(file.size_bytes === 0 ? { text: "", total: 0, whole: true, binary: false } : await files.text(file.path, most, signal)) }));
  return { data: data?.key === key ? data : undefined, error, again };
}

export function Loading() {
  const [late, setLate] = useState(false);
  useEffect(() => { const timer = setTimeout(() => setLate(true), 200); return () => clearTimeout(timer); }, []);
  return late ? html`<p class="muted">Loading…</p>` : null;
}

/** A file that is too big, or not what its name says: the reason, and the way to have it anyway. */
export function TakeAway({ files, file, why }) {
  return html`<section class="take-away"><p>${why}</p>
    <p><a class="button" href=${files.download(file.path)} download=${file.name}>Download ${file.name}</a> <span class="muted">${bytes(file.size_bytes)}</span></p></section>`;
}
