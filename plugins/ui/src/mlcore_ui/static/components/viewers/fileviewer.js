// The viewer of one file: a panel whose context has the file, and what may be done with the place that it lies in.
import { html, useMemo, useRef } from "../../lib/html.js";
import { useLoad } from "../../lib/load.js";
import { manifest } from "../../lib/session.js";
import { ErrorCard } from "../errorcard.js";
import { ExtensionPanel, loaded } from "../extensionpanel.js";
import { filesOf } from "./files.js";
import { placeKey, rawAddress } from "./place.js";
import { seriesOf } from "./series.js";
import { Loading } from "./use.js";

/** @param {{extension: import("../../lib/extensions.js").Extension, place: import("./place.js").Place, file: import("./place.js").ShownFile, hrefOf: any, onPath: any}} props */
export function FileViewer({ extension, place, file, hrefOf, onPath }) {
  const ways = useRef({ hrefOf, onPath });
  ways.current = { hrefOf, onPath };
  const where = placeKey(place);
  const offers = useMemo(() => ({ files: filesOf(place, () => ways.current) }), [where]);
  const { path } = file;
  const { data, error, again } = useLoad(`${where} ${path}`, async () => {
    // both at once; what is wrong with the module is told when it is mounted
    loaded(extension).catch(() => undefined);
    return { path, url: file.is_dir ? undefined : await rawAddress(place, path) };
  });
  const shown = useRef(null);
  if (data?.path === path) shown.current = { ...place, can: manifest.value?.can ?? {}, file: told(file, extension, data.url) };
  if (error) return html`<${ErrorCard} error=${error} title="This file cannot be read" onAgain=${again} />`;
  if (!shown.current) return html`<${Loading} />`;
  return html`<${ExtensionPanel} extension=${extension} context=${shown.current} offers=${offers} look="viewer" />`;
}

/** A file as viewers are told of it. `url` is below the server's prefix, as `bytes` of the context takes it. */
function told(/** @type {any} */ file, extension, url) {
  const { path, name, size_bytes, mime, is_dir, is_table, inside, more } = file;
  const known = { path, name, size_bytes, mime, is_dir, is_table: Boolean(is_table), url };
  if (is_dir) return { ...known, inside, more };
  return extension.series ? { ...known, series: seriesOf(file) } : known;
}
