// Keys of the page that is shown; the help lists them.
import { signal, useEffect, useRef } from "./html.js";

/** All keys in force: Map of a token to [label, {key: {run, about}}]; later ones win. */
export const inForce = signal(new Map());
let next = 0;

/**
 * Listen to keys while a component is shown.
 * @param {Record<string, {run: (event: KeyboardEvent) => void, about: string}>} keys by name: "j", "Ctrl+k", "ArrowDown", "?"
 * @param {string} label of the group in the help
 */
export function useKeys(keys, label) {
  const current = useRef(keys);
  current.current = keys;
  const names = Object.keys(keys).join(" ");
  useEffect(() => {
    const token = (next += 1);
    inForce.value = new Map(inForce.peek()).set(token, [label, current]);
    return () => {
      const left = new Map(inForce.peek());
      left.delete(token);
      inForce.value = left;
    };
  }, [names, label]);
}

function isTyping(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
    && !["checkbox", "radio", "range", "button"].includes(/** @type {HTMLInputElement} */ (target).type);
}

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  const name = `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${event.key}`;
  const typing = isTyping(event.target);
  if (typing && !name.startsWith("Ctrl+")) return;
  if (document.querySelector("dialog[open]") && name !== "Ctrl+k") return;
  for (const [, keys] of [...inForce.peek().values()].reverse()) {
    const found = keys.current[name];
    if (found) {
      // a focused button or link keeps its own keys
      if ((name === " " || name === "Enter") && /** @type {Element} */ (event.target).closest?.("button, a, summary, [role=button]")) return;
      event.preventDefault();
      found.run(event);
      return;
    }
  }
});
