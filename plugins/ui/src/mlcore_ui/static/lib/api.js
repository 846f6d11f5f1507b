// Requests to the server that the page came from. Paths are relative to the server's prefix.
import { start } from "./start.js";
import { signedIn } from "./signin.js";

/** An answer that is an error, with what the server says of it. */
export class ApiError extends Error {
  /** @param {number} status @param {string} code @param {string} message @param {number} [position] */
  constructor(status, code, message, position) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.position = position;
  }
}

// no page of another site can send it, and the server asks us for a login in words that no window of the browser answers
const OURS = { "x-mlcore-ui": "1" };
const HEADERS = { "content-type": "application/json", ...OURS };
/** Where people sign in and out, if the authority of the server has it. */
export const SESSION = "api/mlcore/auth/session";

/** The absolute path of something that the server answers. @param {string} path @param {Record<string, any>} [query] */
export function address(path, query) {
  const text = query ? search(query) : "";
  return `${start.prefix}/${path.replace(/^\//, "")}${text ? `?${text}` : ""}`;
}

/** A query string; lists are repeated, empty values left out. @param {Record<string, any>} query */
export function search(query) {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null && one !== "") pairs.append(name, String(one));
    }
  }
  return pairs.toString();
}

/**
 * Send a request. One that the server answers to nobody unknown waits until the person has signed in: nothing is lost.
 * @param {string} method @param {string} path @param {{query?: Record<string, any>, body?: object, signal?: AbortSignal, accept?: string}} [more]
 */
async function send(method, path, { query, body, signal, accept } = {}) {
  const headers = { ...(body === undefined ? OURS : HEADERS), ...(accept && { accept }) };
  const text = body === undefined ? undefined : JSON.stringify(body);
  for (;;) {
    let response;
    try {
      response = await fetch(address(path, query), { method, signal, headers, body: text, credentials: "same-origin", redirect: "error" });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ApiError(0, "UNREACHABLE", "the server does not answer; what is shown may be old");
    }
    if (response.ok) return response;
    if (response.status !== 401 || path === SESSION) throw await failure(response);
    await signedIn(signal);
  }
}

/** @param {Response} response */
async function failure(response) {
  const text = await response.text();
  try {
    const told = JSON.parse(text);
    return new ApiError(response.status, told.error_code ?? "", told.message ?? text, told.position);
  } catch {
    return new ApiError(response.status, "", text.slice(0, 500) || `the server answered ${response.status}`);
  }
}

async function json(response) {
  return response.status === 204 ? null : response.json();
}

export const api = {
  get: async (path, query, signal) => json(await send("GET", path, { query, signal })),
  post: async (path, body, signal) => json(await send("POST", path, { body, signal })),
  patch: async (path, body, signal) => json(await send("PATCH", path, { body, signal })),
  del: async (path, body, signal) => json(await send("DELETE", path, { body, signal })),
  binary: async (path, body, signal) => (await send("POST", path, { body, signal, accept: "application/octet-stream" })).arrayBuffer(),
  /** A stretch of a file behind a ticket. */
  bytes: async (path, first, last, signal) => {
    const response = await fetch(address(path), { headers: { range: `bytes=${first}-${last}` }, signal, credentials: "same-origin" });
    if (!response.ok) throw await failure(response);
    return { body: await response.arrayBuffer(), range: response.headers.get("content-range") };
  },
};
