// Every move of a model, the last first; and where an alias pointed at a time.
import { html, useState } from "../../lib/html.js";
import { href, setQuery } from "../../lib/url.js";
import { ago, short, time } from "../../lib/format.js";
import { ErrorCard } from "../../components/errorcard.js";
import { aliasAt, history } from "./registry.js";
import { stageName } from "./moves.js";

/**
 * @param {{name: string, first: {moves: any[], token: string}, about?: string, aliases: string[]}} props
 *   about: "@alias" or a version's number
 */
export function History({ name, first, about = "", aliases }) {
  const [more, setMore] = useState({ of: first, moves: [], token: first.token });
  const [error, setError] = useState(null);
  const further = more.of === first ? more : { of: first, moves: [], token: first.token };
  const moves = [...first.moves, ...further.moves];
  const load = async () => {
    try {
      const page = await history(name, { token: further.token });
      setMore({ of: first, moves: [...further.moves, ...page.moves], token: page.token });
    } catch (wrong) {
      setError(wrong);
    }
  };
  const past = [...new Set([...aliases, ...moves.filter((one) => one.kind === "alias").map((one) => one.subject)])].sort();
  return html`
    <div class="bar"><label>Show <select value=${about} onChange=${(event) => setQuery({ about: event.currentTarget.value })}>
      <option value="">every move</option>${past.map((one) => html`<option value=${`@${one}`}>the alias ${one}</option>`)}
      ${versionsIn(moves).map((one) => html`<option value=${one}>version ${one}</option>`)}</select></label>
      <span class="grow"></span>${past.length > 0 && html`<${AliasThen} name=${name} aliases=${past} />`}</div>
    <${Timeline} moves=${moves.filter((one) => concerns(one, about))} />
    ${error && html`<${ErrorCard} error=${error} />`}
    ${further.token && html`<p><button onClick=${load}>Earlier moves</button></p>`}`;
}

/** @param {{moves: any[]}} props the last one first */
export function Timeline({ moves }) {
  if (!moves.length) return html`<p class="muted">Nothing has moved.</p>`;
  return html`<ol class="timeline" reversed>${moves.map((one) => html`<li key=${`${one.at}-${one.number}`} class=${one.kind}>
    <p><time datetime=${new Date(one.at).toISOString()} title=${ago(one.at)}>${time(one.at)}</time> <strong>${one.user || "somebody"}</strong> <${Told} one=${one} /></p>
    ${one.comment && html`<p class="comment">${one.comment}</p>`}</li>`)}</ol>`;
}

function Told({ one }) {
  const to = (version) => html`<a href=${href(`models/${one.name}/${version}`)}>version ${version}</a>`;
  if (one.kind === "stage") return html`<span>moved ${to(one.subject)} from ${stageName(one.before)} to <b>${stageName(one.after)}</b></span>`;
  if (one.kind === "alias") {
    if (!one.after) return html`<span>removed the alias <b>${one.subject}</b> from ${to(one.before)}</span>`;
    return html`<span>pointed the alias <b>${one.subject}</b> ${one.before ? html`from ${to(one.before)} ` : ""}to ${to(one.after)}</span>`;
  }
  if (one.kind === "version") {
    if (one.after) return html`<span>registered ${to(one.subject)} <span class="muted" title=${one.after}>of ${short(one.after, 60)}</span></span>`;
    return html`<span>deleted version ${one.subject}</span>`;
  }
  if (one.before && one.after) return html`<span>renamed the model from <b>${one.before}</b> to <b>${one.after}</b></span>`;
  return html`<span>${one.after ? "created" : "deleted"} the model <b>${one.after || one.before || one.subject}</b></span>`;
}

/** Whether a move has to do with "@alias" or the version of a number; everything with "". */
export function concerns(move, about) {
  if (!about) return true;
  if (about.startsWith("@")) return move.kind === "alias" && move.subject === about.slice(1);
  if (move.kind === "alias") return move.before === about || move.after === about;
  return move.kind !== "model" && move.subject === about;
}

function versionsIn(moves) {
  const found = new Set(moves.filter((one) => one.kind === "version" || one.kind === "stage").map((one) => one.subject));
  return [...found].sort((a, b) => Number(b) - Number(a)).slice(0, 200);
}

function AliasThen({ name, aliases }) {
  const [alias, setAlias] = useState(aliases[0]);
  const [at, setAt] = useState("");
  const [told, setTold] = useState("");
  const ask = async (event) => {
    event.preventDefault();
    const ms = new Date(at).getTime();
    try {
      const version = await aliasAt(name, alias, ms);
      setTold(version ? `${alias} pointed to version ${version} at ${time(ms)}` : `nothing is known of ${alias} at ${time(ms)}`);
    } catch (error) {
      setTold(error.message);
    }
  };
  return html`<form class="then" onSubmit=${ask}><label>Alias <select value=${alias} onChange=${(event) => setAlias(event.currentTarget.value)}>${aliases.map((one) => html`<option>${one}</option>`)}</select></label>
    <label>at <input type="datetime-local" step="1" required value=${at} onInput=${(event) => setAt(event.currentTarget.value)} /></label>
    <button>Where was it?</button><span class="told" role="status">${told}</span></form>`;
}
