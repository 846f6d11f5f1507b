// Requests that wait for the person to sign in.
import { signal } from "./html.js";

/** Whether the server wants to know who is looking, and does not. */
export const wanted = signal(false);

/** @type {Set<() => void>} */
const waiting = new Set();

/** Wait until the person has signed in. @param {AbortSignal} [given] ends the waiting with its reason @returns {Promise<void>} */
export function signedIn(given) {
  wanted.value = true;
  return new Promise((resolve, reject) => {
    if (given?.aborted) { reject(given.reason); return; }
    waiting.add(resolve);
    given?.addEventListener("abort", () => { waiting.delete(resolve); reject(given.reason); }, { once: true });
  });
}

/** Send again what has waited. */
export function goOn() {
  wanted.value = false;
  const others = [...waiting];
  waiting.clear();
  for (const one of others) one();
}
