// Parts of a page that are loaded when they are first shown.
import { html, useEffect, useState } from "../lib/html.js";
import { ErrorCard } from "./errorcard.js";

/**
 * @param {{load: () => Promise<any>, name?: string, props?: object, waiting?: any}} props
 * load: the same function at every drawing, such as a constant of the module; name: of the export that is a component
 */
export function Lazy({ load, name = "default", props = {}, waiting = null }) {
  const [found, setFound] = useState({ load: null, module: null, error: null });
  useEffect(() => {
    let wanted = true;
    load().then((module) => wanted && setFound({ load, module, error: null }), (error) => wanted && setFound({ load, module: null, error }));
    return () => { wanted = false; };
  }, [load]);
  if (found.load !== load) return waiting;
  if (found.error) return html`<${ErrorCard} error=${found.error} title="This part could not be loaded" />`;
  return html`<${found.module[name]} ...${props} />`;
}
