// The address is the state: every view can be sent to somebody else.
import { signal } from "./html.js";
import { start } from "./start.js";

function read() {
  const parts = location.pathname.slice(encodeURI(start.base).length).replace(/^\/+|\/+$/g, "").split("/");
  const path = parts.map(plain).join("/");
  return { path, query: Object.fromEntries(new URLSearchParams(location.search)) };
}

// part by part, as href made it: a name may hold what separates the parts of an address, such as # or +
function plain(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Where we are: `path` below /ui without slashes at its ends, and the query as strings. */
export const route = signal(read());

function write(url, replace) {
  if (url === location.pathname + location.search) return;
  // each step has a name, so that what a page kept of it is found when somebody comes back
  history[replace ? "replaceState" : "pushState"](replace ? history.state : { at: Date.now() }, "", url);
  route.value = read();
}

/** The address of a page. @param {string} path such as "runs/abc" @param {Record<string, string|number|boolean|null|undefined>} [query] */
export function href(path, query = {}) {
  const kept = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "" && value !== false);
  // readable: what an address may hold stays as it is
  const text = kept.map(([name, value]) => `${name}=${readable(String(value === true ? 1 : value))}`).join("&");
  return `${start.base}/${path.split("/").map(encodeURIComponent).join("/").replace(/%2C/g, ",")}${text ? `?${text}` : ""}`;
}

function readable(text) {
  return encodeURIComponent(text).replace(/%2C/g, ",").replace(/%3A/g, ":").replace(/%2F/g, "/").replace(/%20/g, "+");
}

/** Go to a page. @param {string} path @param {{query?: Record<string, any>, replace?: boolean}} [more] */
export function navigate(path, { query = {}, replace = false } = {}) {
  const before = route.value.path;
  write(href(path, query), replace);
  if (route.value.path !== before) window.scrollTo(0, 0);
}

/** Change some of the query; null removes. @param {Record<string, any>} changes @param {{replace?: boolean}} [more] */
export function setQuery(changes, { replace = false } = {}) {
  write(href(route.value.path, { ...route.value.query, ...changes }), replace);
}

/** Let links of our own be followed without loading the page again. */
export function listen() {
  addEventListener("popstate", () => { route.value = read(); });
  addEventListener("click", (event) => {
    const link = /** @type {HTMLAnchorElement|null} */ (/** @type {Element} */ (event.target).closest?.("a[href]"));
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (link.pathname !== start.base && !link.pathname.startsWith(`${start.base}/`)) return;
    if (link.hash && link.pathname === location.pathname) return;
    event.preventDefault();
    const path = location.pathname;
    write(link.pathname + link.search, false);
    if (location.pathname !== path) window.scrollTo(0, 0);
  });
}
