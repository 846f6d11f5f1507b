// Which charts there are: metrics by the prefix of their names. Nothing here touches the page.

const ORDER = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const PINNED = "pinned";

/** The part of a metric's name before its first slash; "" without one. @param {string} key */
export function prefix(key) {
  const at = key.indexOf("/");
  return at > 0 ? key.slice(0, at) : "";
}

/**
 * Metrics in the order of the page: pinned ones, those that share no prefix, each prefix, the system's last.
 * @param {string[]} keys @param {{search?: string, pinned?: string[]}} [more] search: words that all have to occur
 * @returns {{id: string, title: string, keys: string[]}[]}
 */
export function groups(keys, { search = "", pinned = [] } = {}) {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const kept = [...new Set(keys)].filter((key) => words.every((word) => key.toLowerCase().includes(word))).sort(ORDER.compare);
  const first = pinned.filter((key) => kept.includes(key));
  const found = new Map();
  for (const key of kept) {
    const name = prefix(key);
    found.set(name, [...(found.get(name) ?? []), key]);
  }
  // a group of one chart takes a row of the page and tells nothing
  for (const [name, some] of [...found]) {
    if (name === "" || name === "system" || some.length > 1) continue;
    found.delete(name);
    found.set("", [...(found.get("") ?? []), ...some].sort(ORDER.compare));
  }
  const names = [...found.keys()].sort((a, b) => Number(a === "system") - Number(b === "system") || Number(a !== "") - Number(b !== "") || ORDER.compare(a, b));
  const rest = names.map((name) => ({ id: `prefix:${name}`, title: name || "Metrics", keys: found.get(name) }));
  return first.length ? [{ id: PINNED, title: "Pinned", keys: first }, ...rest] : rest;
}

/** Names in one value of the address; commas in them are escaped. @param {string|undefined} text */
export function names(text) {
  return (text ?? "").split(",").filter(Boolean).map((name) => { try { return decodeURIComponent(name); } catch { return name; } });
}

/** The opposite of `names`. @param {string[]} list */
export function listed(list) {
  return list.map((name) => name.replace(/%/g, "%25").replace(/,/g, "%2C")).join(",");
}
