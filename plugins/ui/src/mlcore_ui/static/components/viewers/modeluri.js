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

/**
 * Code that loads a model and lets it predict: what its example is, when it was saved with one.
 * @param {string} uri @param {string} library "mlcore" or "mlflow" @param {any} [told] what the model says of itself
 */
export function loadSnippet(uri, library, told) {
  const example = Boolean(told?.input_example);
  return `import ${library}

${library}.set_tracking_uri(${quoted(serverUri())})
model = ${library}.pyfunc.load_model(${quoted(uri)})
${example ? "" : `data = ...  # ${takes(told)}\n`}predictions = model.predict(${example ? "model.input_example" : "data"})
print(predictions)
`;
}

/** What is to be put in, in the words of a comment. */
function takes(told) {
  const columns = (told?.signature?.inputs ?? []).filter((one) => one?.name).map((one) => `${one.name} (${one.type})`).join(", ");
  // a name with the end of a line in it would end the comment
  return columns ? `rows with the columns ${JSON.stringify(columns.slice(0, 300)).slice(1, -1)}` : "what the model takes: it was saved without an example";
}
