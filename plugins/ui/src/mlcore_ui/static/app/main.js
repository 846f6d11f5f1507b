// The application: frame, navigation and the page that the address names.
import { html, render, useEffect, useState, Component } from "../lib/html.js";
import { route, listen, href } from "../lib/url.js";
import { openSession } from "../lib/session.js";
import { noteViews } from "../lib/lastviews.js";
import "../lib/theme.js";
import { match } from "./routes.js";
import { Frame } from "./frame.js";
import { ErrorCard } from "../components/errorcard.js";
import { Empty } from "../components/empty.js";

/** A page that fails shows what failed, and the rest goes on. */
class Guard extends Component {
  constructor() { super(); this.state = { error: null }; }
  static getDerivedStateFromError(error) { return { error }; }
  componentDidUpdate(before) { if (before.of !== this.props.of && this.state.error) this.setState({ error: null }); }
  render() {
    if (this.state.error) return html`<${ErrorCard} error=${this.state.error} title="This page could not be drawn" />`;
    return this.props.children;
  }
}

function Current() {
  const { path, query } = route.value;
  const found = match(path);
  const [shown, setShown] = useState({ load: null, page: null, error: null });
  const load = found?.load;
  useEffect(() => {
    let wanted = true;
    load?.().then(
      (module) => wanted && setShown({ load, page: module.default, error: null }),
      (error) => wanted && setShown({ load, page: null, error }),
    );
    return () => { wanted = false; };
  }, [load]);
  if (!found) {
    return html`<main class="page" id="main" tabindex="-1" aria-busy=${false}><${Empty} title="There is no such page" note=${`/${path} leads nowhere.`}><a href=${href("")}>Start page</a><//></main>`;
  }
  const ready = shown.load === load;
  return html`<main class="page" id="main" tabindex="-1" aria-busy=${!ready}>
    <${Guard} of=${path}>
      ${ready && shown.error && html`<${ErrorCard} error=${shown.error} title="This page could not be loaded" />`}
      ${ready && shown.page && html`<${shown.page} params=${found.params} query=${query} />`}
    <//>
  </main>`;
}

function App() {
  const section = match(route.value.path)?.section ?? "";
  return html`<${Frame} section=${section}><${Current} /><//>`;
}

listen();
openSession();
noteViews();
document.getElementById("app").textContent = "";
render(html`<${App} />`, document.getElementById("app"));
