// A panel of a version, ours or a plugin's: it is told what the version is, and may read the version's files.
import { html, useMemo } from "../../lib/html.js";
import { ExtensionPanel } from "../../components/extensionpanel.js";
import { filesOf } from "../../components/viewers/files.js";

/** @param {{extension: import("../../lib/extensions.js").Extension, one: any, run: any, may: string[], described: () => Promise<any>}} props run: the one it comes from, if the person may read it. described: what the page knows of the model's folder */
export function VersionPanel({ extension, one, run, may, described }) {
  const { name, version } = one;
  const offers = useMemo(() => {
    // there is no page for the files of a version
    const { href, open, ...files } = filesOf({ name, version }, () => ({ hrefOf: () => "", onPath: () => undefined }));
    return { files: { ...files, model: (path = "", signal) => (path ? files.model(path, signal) : described()) } };
  }, [name, version]);
  const context = { name, version, aliases: one.aliases ?? [], stage: one.current_stage, may, run_ids: run ? [run.info.run_id] : [] };
  return html`<${ExtensionPanel} extension=${extension} context=${context} offers=${/** @type {any} */ (offers)} />`;
}
