// Lists that have no stream of changes: looked at again when the page is seen again, now and then while it is open, and
// often while there is nothing to see.
import { useEffect, useRef } from "./html.js";

const EMPTY_MS = 5000;
const OPEN_MS = 20000;
const LATER_MS = 2000;

/**
 * @param {() => void} again @param {boolean} empty whether the person waits for the first thing to come
 * @param {() => void} [some] what to look at again while the page stays open, where the whole is large
 */
export function useFresh(again, empty, some) {
  const latest = useRef({ again, some: some ?? again });
  latest.current = { again, some: some ?? again };
  useEffect(() => {
    let last = Date.now();
    const ask = (how) => {
      if (document.hidden || Date.now() - last < LATER_MS) return;
      last = Date.now();
      latest.current[how]();
    };
    const look = () => ask("again");
    const timer = setInterval(() => ask(empty ? "again" : "some"), empty ? EMPTY_MS : OPEN_MS);
    document.addEventListener("visibilitychange", look);
    addEventListener("focus", look);
    return () => { clearInterval(timer); document.removeEventListener("visibilitychange", look); removeEventListener("focus", look); };
  }, [empty]);
}
