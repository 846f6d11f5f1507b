// What viewers have in common.
import { html, useEffect, useRef, useState } from "../../lib/html.js";
import { useLoad } from "../../lib/load.js";
import { bytes } from "../../lib/format.js";
import { downloadUrl, placeKey, rawUrl, readText } from "./place.js";

/** The address of a file for an element; `renew` asks for another ticket, once. */
export function useRaw(place, path, within = "") {
  const key = `${placeKey(place)}\n${path}\n${within}`;
  const [turn, setTurn] = useState({ key, fresh: false });
  const fresh = turn.key === key && turn.fresh;
  const { data, error } = useLoad(`${key}\n${fresh}`, () => rawUrl(place, path, { within, fresh }).then((url) => ({ key, url })));
  const tried = useRef("");
  // the address before is that of another file
  return { url: data?.key === key ? data.url : undefined, error, renew: () => {
    if (tried.current === key) return false;
    tried.current = key;
    setTurn({ key, fresh: true });
    return true;
  } };
}

/** A file as text, up to *most* bytes. */
export function useText(place, file, most) {
  const key = `${placeKey(place)}\n${file.path}\n${file.size_bytes}`;
  const { data, error, again } = useLoad(key, async (signal) => ({ key, ...(file.size_bytes === 0 ? { text: "", total: 0, whole: true, binary: false } : await readText(place, file.path, most, signal)) }));
  return { data: data?.key === key ? data : undefined, error, again };
}

export function Loading() {
  const [late, setLate] = useState(false);
  useEffect(() => { const timer = setTimeout(() => setLate(true), 200); return () => clearTimeout(timer); }, []);
  return late ? html`<p class="muted">Loading…</p>` : null;
}

/** A file that is too big, or not what its name says: the reason, and the way to have it anyway. */
export function TakeAway({ place, file, why }) {
  return html`<section class="take-away"><p>${why}</p>
    <p><a class="button" href=${downloadUrl(place, file.path)} download=${file.name}>Download ${file.name}</a> <span class="muted">${bytes(file.size_bytes)}</span></p></section>`;
}
