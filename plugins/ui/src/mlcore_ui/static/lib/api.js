// Requests to the server that the page came from. Paths are relative to the server's prefix.
import { start } from "./start.js";

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

const HEADERS = { "content-type": "application/json", "x-mlcore-ui": "1" };

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

/** @param {string} method @param {string} path @param {{query?: Record<string, any>, body?: object, signal?: AbortSignal, accept?: string}} [more] */
async function send(method, path, { query, body, signal, accept } = {}) {
  let response;
  try {
    response = await fetch(address(path, query), {
      method,
      signal,
      headers: body === undefined ? { "x-mlcore-ui": "1", ...(accept && { accept }) } : { ...HEADERS, ...(accept && { accept }) },
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      redirect: "error",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "UNREACHABLE", "the server does not answer; what is shown may be old");
  }
  if (!response.ok) throw await failure(response);
  return response;
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
