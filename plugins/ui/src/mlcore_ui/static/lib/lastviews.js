// The views that a person looked at last, kept by their browser alone.
import { effect, signal } from "./html.js";
import { manifest } from "./session.js";
import { route } from "./url.js";

const MOST = 8;
const SETTLED_MS = 1200;
const LONGEST = 8000;
const WORTH = /^(experiments|runs|models)\/./;

/** @typedef {{path: string, search: string, title: string, time: number}} LastView */

/** @type {{value: LastView[]}} the newest first */
export const lastViews = signal([]);

function key() {
  return `mlcore.views:${manifest.value?.user?.name ?? ""}`;
}

function read() {
  try {
    const found = JSON.parse(localStorage.getItem(key()) ?? "[]");
    return Array.isArray(found) ? found.filter((one) => WORTH.test(one?.path) && typeof one.search === "string" && typeof one.title === "string" && Number.isFinite(one.time)).slice(0, MOST) : [];
  } catch {
    return [];
  }
}

function write(views) {
  lastViews.value = views;
  try { localStorage.setItem(key(), JSON.stringify(views)); } catch { /* a browser that keeps nothing */ }
}

export function forgetViews() {
  write([]);
}

// what one looks at is there once, as it was seen last: its tabs, filters and columns are steps on the way; views to
// come back to have names
function about(path) {
  return path.startsWith("runs/") ? path.split("/").slice(0, 2).join("/") : path;
}

function note() {
  const { path } = route.peek();
  const search = location.search;
  if (!WORTH.test(path) || search.length > LONGEST) return;
  // a page that failed has no heading of its own
  if (!document.querySelector("main h1") || document.querySelector("main > .card.bad")) return;
  const others = read().filter((one) => about(one.path) !== about(path));
  write([{ path, search, title: document.title.replace(/ · mlcore$/, ""), time: Date.now() }, ...others].slice(0, MOST));
}

/** Note what is looked at, once it stays for a moment. */
export function noteViews() {
  effect(() => { if (manifest.value) lastViews.value = read(); });
  effect(() => {
    const { path } = route.value;
    if (!manifest.value) return undefined;
    if (!WORTH.test(path)) return undefined;
    const timer = setTimeout(note, SETTLED_MS);
    return () => clearTimeout(timer);
  });
}
