// Why a run ended as it did, and what of it was not kept.
import { html, useState } from "../../lib/html.js";
import { time } from "../../lib/format.js";
import { CopyButton } from "../../components/copy.js";
import { href } from "../../lib/url.js";

const TRACEBACK = "mlcore/error/traceback.txt";
const MOST = 256 << 10;

/** @param {{run: import("./data.js").Run}} props */
export function Failure({ run }) {
  const { tags, state } = run;
  const type = tags.get("mlcore.error.type");
  const message = tags.get("mlcore.error.message");
  const told = [type && message ? `${type}: ${message}` : type || message, exit(tags.get("mlcore.exit.code")), signalled(tags.get("mlcore.signal"))].filter(Boolean);
  if (state === "LOST") told.push(`The process went silent${since(tags)}: it was killed, ran out of memory, or lost its power or its connection.`);
  const unkept = unsaid(tags);
  const bad = ["FAILED", "KILLED", "LOST"].includes(state);
  if (!(bad && told.length) && !unkept.length) return null;
  return html`<section class=${`card why ${bad ? "bad" : ""}`} aria-label="How the run ended">
    ${bad && told.map((one, at) => html`<p key=${at} class=${at === 0 ? "reason" : ""}>${one}</p>`)}
    ${bad && type && html`<${Traceback} run=${run} />`}
    ${unkept.map((one) => html`<p class="reason">${one}</p>`)}</section>`;
}

function Traceback({ run }) {
  const [state, setState] = useState({ text: "", error: "" });
  const open = async (event) => {
    if (!event.currentTarget.open || state.text) return;
    try {
      const { readText } = await import("../../components/viewers/place.js");
      const { text, whole } = await readText({ run_id: run.info.run_id }, TRACEBACK, MOST);
      setState({ text: whole ? text : `${text}\n…`, error: "" });
    } catch (error) {
      setState({ text: "", error: error.status === 404 ? "No traceback was kept." : error.message });
    }
  };
  return html`<details onToggle=${open}><summary>Traceback</summary>${state.error && html`<p>${state.error}</p>`}
    ${state.text && html`<div class="snippet"><pre tabindex="0">${state.text}</pre><${CopyButton} text=${state.text} label="Copy the traceback" /></div>
      <p><a href=${href(`runs/${run.info.run_id}/artifacts/${TRACEBACK}`)}>Open as a file</a></p>`}</details>`;
}

function exit(code) {
  if (!code) return "";
  return code === "unknown" ? "The program left by an exit whose code nobody could see." : `The program left with exit code ${code}.`;
}

function signalled(name) {
  return name ? `The program was ended by ${name}.` : "";
}

function since(tags) {
  const at = Number((tags.get("mlcore.lost") ?? tags.get("mlcore.heartbeat") ?? "").split(" ")[0]);
  return at > 1e11 ? ` after ${time(at)}` : "";
}

/** What was recorded and could not be kept. */
function unsaid(tags) {
  const out = [];
  const refused = parsed(tags.get("mlcore.refused"));
  const dropped = parsed(tags.get("mlcore.dropped"));
  if (refused) {
    const list = Array.isArray(refused) ? refused : refused.last ?? [];
    const shown = list.slice(0, 5).map((one) => (one.param !== undefined ? `param ${one.param}: ${one.kept} stayed, ${one.refused} was refused` : `${one.what}: ${one.message}`));
    out.push(`The store did not take ${Array.isArray(refused) ? list.length : refused.count ?? list.length} of what was recorded. ${shown.join("; ")}`);
  }
  if (dropped) out.push(`${dropped.count ?? "Some"} records were lost, as the disk was full.`);
  return out;
}

function parsed(text) {
  if (!text) return null;
  try {
    const value = JSON.parse(text);
    return value && typeof value === "object" ? value : null;
  } catch {
    return { last: [{ what: "told", message: text }] };
  }
}
