// How models are named in code.
import { start } from "../../lib/start.js";

/** The URI by which a model is loaded. @param {import("./place.js").Place} place @param {string} path of its folder */
export function modelUri({ run_id, model_id, name, version }, path) {
  const below = path ? `/${path}` : "";
  if (run_id) return `runs:/${run_id}${below}`;
  return model_id ? `models:/${model_id}${below}` : `models:/${name}/${version}${below}`;
}

/** A text of Python, also of a name that wants to be more. @param {string} text */
export function quoted(text) {
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Where this server is, for code. */
export function serverUri() {
  return location.origin + start.prefix;
}

/** Code that loads a model and lets it predict. @param {string} uri @param {string} library "mlcore" or "mlflow" */
export function loadSnippet(uri, library) {
  return `import ${library}

${library}.set_tracking_uri(${quoted(serverUri())})
model = ${library}.pyfunc.load_model(${quoted(uri)})
predictions = model.predict(data)
`;
}
