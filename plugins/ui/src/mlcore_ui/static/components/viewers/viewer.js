// A component as a viewer of the contract of panels: what it is given is the context, as anybody's viewer gets it.
import { html, render } from "../../lib/html.js";
import { Guard } from "../guard.js";

/** @param {Function} Component of the context's fields @returns {{api: 1, mount: (element: Element, context: any) => any}} */
export function viewer(Component) {
  return {
    api: 1,
    mount(element, context) {
      const draw = (now) => render(html`<${Guard} of=${now.file.path} title="This viewer failed"><${Component} ...${now} /><//>`, element);
      draw(context);
      return { update: draw, unmount: () => render(null, element) };
    },
  };
}
