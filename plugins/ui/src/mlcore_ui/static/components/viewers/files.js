// What a viewer may do with the files of the place that its file lies in: read, list, show, go.
import { api } from "../../lib/api.js";
import { downloadUrl, listed, placeKey, rawUrl, readBytes, readText } from "./place.js";

/**
 * @typedef {object} Files
 * @property {string} key the same for the same place
 * @property {(path: string, first: number, most: number, signal?: AbortSignal) => Promise<{body: ArrayBuffer, total: number|null}>} read a stretch of a file
 * @property {(path: string, most: number, signal?: AbortSignal) => Promise<{text: string, total: number|null, whole: boolean, binary: boolean}>} text its beginning as text
 * @property {(path: string, more?: {token?: string, signal?: AbortSignal}) => Promise<{files: import("./place.js").ShownFile[], next_page_token?: string}>} list a page of a folder
 * @property {(path: string, more: {offset: number, limit: number, signal?: AbortSignal}) => Promise<any>} table rows of a table
 * @property {(path: string, signal?: AbortSignal) => Promise<{value: any, truncated: boolean, problem: string}>} data the value of a YAML file
 * @property {(path: string, signal?: AbortSignal) => Promise<any>} model what a model's folder says
 * @property {(path: string, more?: {within?: string, fresh?: boolean}) => Promise<string>} url address for an element of the page
 * @property {(path: string) => string} download address that saves a file
 * @property {(path: string) => string} href address of a file's page
 * @property {(path: string, more?: {replace?: boolean}) => void} open go to that page
 */

/**
 * @param {import("./place.js").Place} place
 * @param {() => {hrefOf: (path: string) => string, onPath: (path: string, more?: {replace?: boolean}) => void}} ways to pages of files
 * @returns {Files}
 */
export function filesOf(place, ways) {
  return {
    key: placeKey(place),
    read: (path, first, most, signal) => readBytes(place, path, first, most, signal),
    text: (path, most, signal) => readText(place, path, most, signal),
    list: (path, more) => listed(place, path, more),
    table: (path, { offset, limit, signal }) => api.get("api/ui/1/artifacts:table", { ...place, path, offset, limit }, signal),
    data: (path, signal) => api.get("api/ui/1/artifacts:data", { ...place, path }, signal),
    model: (path, signal) => api.get("api/ui/1/models:describe", { ...place, path }, signal),
    url: (path, more) => rawUrl(place, path, more),
    download: (path) => downloadUrl(place, path),
    href: (path) => ways().hrefOf(path),
    open: (path, more) => ways().onPath(path, more),
  };
}
