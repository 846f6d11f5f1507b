// Components that are drawn again only when something that they were given has changed.
import { html, Component } from "../lib/html.js";

/** @param {Function} drawn a component @returns {any} the same one, left alone while its properties stay the same */
export function steady(drawn) {
  return class extends Component {
    shouldComponentUpdate(next) {
      const names = Object.keys(next);
      return names.length !== Object.keys(this.props).length || names.some((name) => next[name] !== this.props[name]);
    }

    render(props) { return html`<${drawn} ...${props} />`; }
  };
}
