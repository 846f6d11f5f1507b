// A viewer of a plugin in the place of one of ours.
import { html } from "../../lib/html.js";
import { useLoad } from "../../lib/load.js";
import { ErrorCard } from "../errorcard.js";
import { ExtensionPanel } from "../extensionpanel.js";
import { placeKey, rawAddress } from "./place.js";

/** @param {import("../../lib/extensions.js").Extension} extension @returns {{default: Function}} */
export function viewerOf(extension) {
  function PluginViewer({ place, file }) {
    const { path, name, size_bytes, mime } = file;
    const { data, error, again } = useLoad(`${placeKey(place)} ${path}`, () => rawAddress(place, path));
    if (error) return html`<${ErrorCard} error=${error} title="This file cannot be read" onAgain=${again} />`;
    // `url` is below the server's prefix, as `bytes` of the context takes it
    return data ? html`<${ExtensionPanel} extension=${extension} context=${{ ...place, file: { path, name, size_bytes, mime, url: data } }} />` : null;
  }
  return { default: PluginViewer };
}
