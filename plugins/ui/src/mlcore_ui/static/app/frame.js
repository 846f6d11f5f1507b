// What stands around every page: navigation, search, theme, messages, help.
import { html, useEffect, useState } from "../lib/html.js";
import { href, navigate } from "../lib/url.js";
import { chosen, theme } from "../lib/theme.js";
import { manifest, sessionError, signOut } from "../lib/session.js";
import { wanted } from "../lib/signin.js";
import { useKeys } from "../lib/keys.js";
import { start } from "../lib/start.js";
import { Toasts, toast } from "../components/toast.js";
import { Finder, finderOpen } from "./finder.js";
import { Help, helpOpen } from "./help.js";

const LINKS = [["experiments", "Experiments"], ["models", "Models"]];

export function Frame({ section, children }) {
  useKeys({
    "Ctrl+k": { run: () => { finderOpen.value = true; }, about: "go to anything" },
    "?": { run: () => { helpOpen.value = true; }, about: "show the keys" },
    "g": { run: () => navigate("experiments"), about: "list of experiments" },
    "m": { run: () => navigate("models"), about: "list of models" },
  }, "Everywhere");
  useEffect(() => { document.title = title(section); }, [section]);
  const pages = (start.extensions ?? []).filter((one) => one.kind === "page");
  return html`
    <a class="skip" href="#main">Skip to the page</a>
    <header class="top">
      <a class="brand" href=${href("")}><span class="mark" aria-hidden="true"></span>mlcore</a>
      <nav aria-label="Main">
        ${LINKS.map(([path, text]) => html`<a href=${href(path)} aria-current=${section === path ? "page" : undefined}>${text}</a>`)}
        ${pages.map((one) => html`<a href=${href(`plugins/${one.id}`)}>${one.title}</a>`)}
      </nav>
      <button class="find" onClick=${() => { finderOpen.value = true; }}>Go to… <kbd>Ctrl K</kbd></button>
      <${Theme} />
      <button class="plain" aria-label="Keys and help" title="Keys and help (?)" onClick=${() => { helpOpen.value = true; }}>?</button>
      <${User} />
    </header>
    ${sessionError.value && html`<div class="banner bad" role="alert">${sessionError.value.message}</div>`}
    ${(!wanted.value || manifest.value) && children}
    ${wanted.value && html`<${Login} />`}
    <${Toasts} /><${Finder} /><${Help} />`;
}

function Theme() {
  const next = { auto: theme.value === "dark" ? "light" : "dark", light: "dark", dark: "light" }[chosen.value];
  return html`<button class="plain" aria-label=${`Show in ${next} colours`} title=${`Show in ${next} colours`}
    onClick=${() => { chosen.value = next; }}>${theme.value === "dark" ? "☀" : "☾"}</button>`;
}

/** Comes when it is needed, as few do. */
function Login() {
  const [shown, setShown] = useState(null);
  useEffect(() => { import("./login.js").then((module) => setShown(() => module.default)); }, []);
  return shown && html`<${shown} />`;
}

function User() {
  const user = manifest.value?.user;
  const leave = () => signOut().catch((error) => toast(error.status === 404 ? "Sign out where you have signed in: this server has no sessions of its own." : error.message, { bad: true }));
  return html`<a class="user" href=${href("about")} title=${user ? `Signed in as ${user.name}; about this server` : "About this server"}>${user ? user.name : "About"}</a>
    ${user && html`<button class="plain" onClick=${leave}>Sign out</button>`}`;
}

function title(section) {
  const name = LINKS.find(([path]) => path === section)?.[1];
  return name ? `${name} · mlcore` : "mlcore";
}
