// Data of the server in a component: asked for when its key changes, the old one stays until the new one is there.
import { useCallback, useEffect, useRef, useState } from "./html.js";

/**
 * @template T
 * @param {string} key a new key is a new question
 * @param {(signal: AbortSignal) => Promise<T>} ask
 * @returns {{data: T|undefined, error: (Error & {status?: number, code?: string})|undefined, loading: boolean, again: () => void}}
 */
export function useLoad(key, ask) {
  const [state, setState] = useState({ data: undefined, error: undefined, loading: true });
  const [turn, setTurn] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    const controller = new AbortController();
    setState((old) => (old.loading ? old : { ...old, loading: true }));
    latest.current(controller.signal).then(
      (data) => { if (!controller.signal.aborted) setState({ data, error: undefined, loading: false }); },
      (error) => { if (!controller.signal.aborted) setState((old) => ({ data: old.data, error, loading: false })); },
    );
    return () => controller.abort();
  }, [key, turn]);
  // the same at every drawing: what gets it is not drawn again for it
  const again = useCallback(() => setTurn((old) => old + 1), []);
  return { ...state, again };
}
