// A part that fails shows what failed, and the rest goes on.
import { html, Component } from "../lib/html.js";
import { ErrorCard } from "./errorcard.js";

/** Props: `of`, a text that is another one when something else is shown; `title` of the card. */
export class Guard extends Component {
  constructor() { super(); this.state = { error: null }; }
  static getDerivedStateFromError(error) { return { error }; }
  componentDidUpdate(before) { if (before.of !== this.props.of && this.state.error) this.setState({ error: null }); }
  render() {
    if (this.state.error) return html`<${ErrorCard} error=${this.state.error} title=${this.props.title ?? "This part could not be drawn"} />`;
    return this.props.children;
  }
}
