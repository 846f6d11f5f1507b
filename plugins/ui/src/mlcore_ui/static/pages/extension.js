// A page of a plugin.
import { html } from "../lib/html.js";
import { extension } from "../lib/extensions.js";
import { ExtensionPanel } from "../components/extensionpanel.js";
import { Empty } from "../components/empty.js";

export default function Extension({ params, query }) {
  const one = extension(params.id);
  if (!one || one.kind !== "page") return html`<${Empty} title="No plugin shows this page" note="It may not be installed on this server any more." />`;
  return html`<h1>${one.title}</h1><${ExtensionPanel} extension=${one} context=${{ params: { ...query, rest: params.rest ?? "" } }} />`;
}
