// A version of a registered model out of a folder of files.
import { html, useState } from "../../lib/html.js";
import { useLoad } from "../../lib/load.js";
import { Dialog } from "../dialog.js";
import { toast } from "../toast.js";
import { modelUri } from "./modeluri.js";

const REGISTRY = "ajax-api/2.0/mlflow";

/** @param {{context: any, path: string, onClose: () => void}} props */
export function Register({ context, path, onClose }) {
  const [name, setName] = useState("");
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const [made, setMade] = useState(null);
  const { data } = useLoad(`models ${name}`, (signal) => context.get(`${REGISTRY}/registered-models/search`, { max_results: 20, filter: name ? `name ILIKE '%${name.replace(/'/g, "''")}%'` : undefined }, signal));
  const known = (data?.registered_models ?? []).map((one) => one.name);
  const send = async (event) => {
    event.preventDefault();
    setBusy(true);
    try {
      const version = await register(context, name, path);
      setMade(version);
      toast(`${version.name} has a version ${version.version}`);
    } catch (error) {
      setWrong(error.message);
    }
    setBusy(false);
  };
  if (made) {
    return html`<${Dialog} title="Registered" onClose=${onClose}><p><a href=${context.href(`models/${made.name}/${made.version}`)}>${made.name}, version ${made.version}</a></p>
      <footer class="actions"><button onClick=${onClose}>Close</button></footer><//>`;
  }
  return html`<${Dialog} title="Register the model" onClose=${onClose}><form onSubmit=${send}>
    <label>Name of the registered model<input class="wide" required autofocus list="known-models" value=${name} aria-invalid=${Boolean(wrong)} aria-describedby="register-note register-wrong"
      onInput=${(event) => { setName(event.currentTarget.value); setWrong(""); }} /></label>
    <datalist id="known-models">${known.map((one) => html`<option value=${one}></option>`)}</datalist>
    <p id="register-note" class="muted">${known.includes(name) ? "It gets a new version." : name ? "A new model of this name is made, with this as its first version." : "A name that is there gets a new version; another one is made."}</p>
    <p id="register-wrong" class="wrong" role="alert">${wrong}</p>
    <footer class="actions"><button type="button" onClick=${onClose}>Cancel</button><button class="primary" disabled=${busy || !name}>Register</button></footer>
  </form><//>`;
}

async function register(context, name, path) {
  try {
    await context.post(`${REGISTRY}/registered-models/create`, { name });
  } catch (error) {
    // it is there, or others make models: a version may be allowed all the same
    if (error.code !== "RESOURCE_ALREADY_EXISTS" && error.status !== 403) throw error;
  }
  const answer = await context.post(`${REGISTRY}/model-versions/create`, { name, source: modelUri(context, path), ...(context.run_id && { run_id: context.run_id }), ...(context.model_id && { model_id: context.model_id }) });
  return answer.model_version;
}
