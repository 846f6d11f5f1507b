// Keys that the page does not know, because there are too many: the server is asked when somebody looks for one.
import { useEffect, useRef, useState } from "../../lib/html.js";
import { useLoad } from "../../lib/load.js";

const IDLE_MS = 250;
const NOTHING = { of: "", keys: [], more: 0 };

/**
 * @param {import("../../lib/types.js").Find|null} find null when every key is known
 * @param {string} text what is looked for; nothing is asked for an empty one
 * @returns {{waiting: boolean, more: number, merge: (known: import("../../lib/types.js").Facet[]) => import("../../lib/types.js").Facet[]}}
 *   more: how many keys fit that the answer does not hold
 */
export function useFound(find, text) {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), IDLE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const asks = Boolean(find && settled);
  const { data, error } = useLoad(asks ? `found:${settled}` : "", async (signal) => (find && settled ? { of: settled, ...(await find(settled, signal)) } : NOTHING));
  const answer = data ?? NOTHING;
  const kept = useRef({ from: null, known: null, merged: [] });
  const merge = (known) => {
    // the same list as long as nothing changed: a new one is a new question to charts
    if (kept.current.from !== answer || kept.current.known !== known) {
      const names = new Set(known.map((one) => one.column));
      const others = answer.keys.filter((one) => !names.has(one.column));
      kept.current = { from: answer, known, merged: others.length ? [...known, ...others] : known };
    }
    return kept.current.merged;
  };
  return { waiting: Boolean(find && text) && answer.of !== text && !error, more: answer.of === text ? answer.more : 0, merge };
}
