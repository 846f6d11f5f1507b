// A component as a panel or a viewer of the public contract: what it is given is the context, as anybody's module gets it.
import { html, render, Component } from "../lib/html.js";

/** @param {Function} Shown of the context's fields @returns {{api: 1, mount: (element: Element, context: any) => any}} */
export function panel(Shown) {
  return {
    api: 1,
    mount(element, context) {
      const draw = (now) => render(html`<${Caught} onFail=${now.fail}><${Shown} ...${now} /><//>`, element);
      draw(context);
      return { update: draw, unmount: () => render(null, element) };
    },
  };
}

/** What goes wrong at any drawing is told to the page, which shows its card. */
class Caught extends Component {
  constructor() { super(); this.state = { failed: false }; }
  componentDidCatch(error) { this.setState({ failed: true }); this.props.onFail(error); }
  render() { return this.state.failed ? null : this.props.children; }
}
