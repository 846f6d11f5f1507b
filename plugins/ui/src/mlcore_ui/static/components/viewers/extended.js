// The viewers of plugins, in the shape of our own.
import { html, useMemo } from "../../lib/html.js";
import { useLoad } from "../../lib/load.js";
import { ErrorCard } from "../errorcard.js";
import { ExtensionPanel } from "../extensionpanel.js";
import { placeKey, rawAddress } from "./place.js";
import { Loading } from "./use.js";

/** A component for the viewer of a plugin. @param {import("../../lib/extensions.js").Extension} extension */
export function shownBy(extension) {
  return function Extended({ place, file }) {
    const key = `${placeKey(place)}\n${file.path}`;
    const { data, error, again } = useLoad(key, async () => ({ key, raw: await rawAddress(place, file.path) }));
    const { path, name, mime, size_bytes } = file;
    // raw: for `bytes`, below the server's prefix
    const context = useMemo(() => ({ ...(place.run_id && { run_ids: [place.run_id] }), ...place, file: { path, name, mime, size_bytes, raw: data?.raw } }), [key, data]);
    if (error) return html`<${ErrorCard} error=${error} onAgain=${again} />`;
    return data?.key === key ? html`<${ExtensionPanel} extension=${extension} context=${context} />` : html`<${Loading} />`;
  };
}
