// Who are you? Asked in place of the page, or over it when a session ends while somebody works.
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { SESSION, address, api } from "../lib/api.js";
import { manifest } from "../lib/session.js";
import { goOn } from "../lib/signin.js";
import { start } from "../lib/start.js";
import { Dialog } from "../components/dialog.js";

export default function Login() {
  if (manifest.value) return html`<${Dialog} title="Your session has ended" onClose=${null}><p>Sign in again to go on; nothing on this page is lost.</p><${Form} /><//>`;
  return html`<main class="page" id="main" tabindex="-1" aria-busy=${false}><section class="card login"><h1>Sign in</h1><${Form} /></section></main>`;
}

function Form() {
  const [how, setHow] = useState("");
  useEffect(() => { api.get(SESSION).then((told) => setHow(told.by), (error) => setHow(error.status === 404 ? "browser" : "password")); }, []);
  if (!how) return html`<p class="muted">Loading…</p>`;
  return how === "password" ? html`<${Password} />` : html`<${Elsewhere} />`;
}

function Password() {
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const form = useRef(null);
  const known = manifest.value?.user?.name ?? "";
  useEffect(() => {
    const { username, password } = form.current.elements;
    (known ? password : username).focus();
  }, []);
  const send = async (event) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    setBusy(true);
    try {
      const { user } = await api.post(SESSION, { username: given.get("username"), password: given.get("password") });
      // somebody else sees other things: nothing of before may stay
      if (manifest.value && known !== user) location.reload();
      else goOn();
    } catch (error) {
      setWrong(error.status === 401 ? "User name or password is wrong." : error.message);
      setBusy(false);
    }
  };
  return html`<form class="login-form" ref=${form} onSubmit=${send}>
    <label>User name<input class="wide" name="username" autocomplete="username" autocapitalize="none" spellcheck=${false} required
      defaultValue=${known} onInput=${() => setWrong("")} /></label>
    <label>Password<input class="wide" name="password" type="password" autocomplete="current-password" required
      aria-invalid=${Boolean(wrong)} aria-describedby="login-wrong" onInput=${() => setWrong("")} /></label>
    <p id="login-wrong" class="wrong" role="alert">${wrong}</p>
    <p class="actions"><button class="primary" disabled=${busy}>Sign in</button></p>
    <p class="muted">An administrator of this server gives accounts.</p></form>`;
}

/** An authority without a form of ours: the browser asks by itself when a page wants credentials. */
function Elsewhere() {
  const next = location.pathname.slice(start.base.length).replace(/^\/+/, "") + location.search;
  return html`<p>This server wants to know who you are.</p>
    <p class="actions"><a class="button primary" href=${address("sign-in", { next })}>Sign in</a></p>`;
}
