// Text and code, stretch by stretch: a file is never fetched whole unless somebody reads on to its end.
import { html, useEffect, useRef, useState } from "../../lib/html.js";
import { bytes, count } from "../../lib/format.js";
import { ErrorCard } from "../errorcard.js";
import { pieces } from "./code.js";
import { Loading, TakeAway } from "./use.js";
import { panel } from "../panel.js";

const STRETCH = 128 << 10;
const MOST = 8 << 20;
const MOST_COLOURED = 200_000;
const EMPTY = { key: "", text: "", read: 0, total: null, binary: false, error: undefined, busy: false };

export default panel(Text);

export function Text({ files, file }) {
  const key = `${files.key}\n${file.path}\n${file.size_bytes}`;
  const [state, setState] = useState(EMPTY);
  const [wrap, setWrap] = useState(false);
  const decoder = useRef(null);
  const more = async (from, signal) => {
    setState((old) => ({ ...old, busy: true, error: undefined }));
    try {
      const { body, total } = file.size_bytes === 0 ? { body: new ArrayBuffer(0), total: 0 } : await files.read(file.path, from.read, STRETCH, signal);
      const read = from.read + body.byteLength;
      const ends = total === null || read >= total || body.byteLength === 0;
      // a letter of several bytes may lie on the border
      const text = from.text + decoder.current.decode(body, { stream: !ends });
      setState({ key, text, read, total: ends ? read : total, binary: from.binary || text.slice(from.text.length).includes("\0"), error: undefined, busy: false });
    } catch (error) {
      if (error.name !== "AbortError") setState((old) => ({ ...old, error, busy: false, key }));
    }
  };
  useEffect(() => {
    const controller = new AbortController();
    decoder.current = new TextDecoder();
    more(EMPTY, controller.signal);
    return () => controller.abort();
  }, [key]);
  if (state.key !== key) return html`<${Loading} />`;
  if (state.error && !state.read) return html`<${ErrorCard} error=${state.error} onAgain=${() => more(EMPTY)} />`;
  if (state.binary) return html`<${TakeAway} files=${files} file=${file} why="This file holds bytes that are not text." />`;
  const lines = state.text.split("\n").length - (state.text.endsWith("\n") ? 1 : 0);
  const left = state.total !== null && state.read < state.total;
  return html`<div class="bar"><span class="muted">${state.total === 0 ? "This file is empty" : `${count(lines)} ${lines === 1 ? "line" : "lines"}`}${left ? ` of the first ${bytes(state.read)}; the file has ${bytes(state.total)}` : state.total === 0 ? "" : `, ${bytes(state.read)}`}</span>
      <label class="check"><input type="checkbox" checked=${wrap} onChange=${() => setWrap(!wrap)} /> wrap lines</label></div>
    <div class=${`code ${wrap ? "wrapped" : ""}`} tabindex="0" role="region" aria-label=${`Text of ${file.name}`}>
      ${!wrap && html`<pre class="numbers" aria-hidden="true">${numbers(lines)}</pre>`}
      <pre class="lines"><code>${state.text.length <= MOST_COLOURED ? coloured(state.text, file.name) : state.text}</code></pre></div>
    ${state.error && html`<${ErrorCard} error=${state.error} />`}
    ${left && (state.read < MOST ? html`<p><button disabled=${state.busy} onClick=${() => more(state)}>Read on (${bytes(Math.min(STRETCH, state.total - state.read))})</button></p>`
    : html`<${TakeAway} files=${files} file=${file} why="This is as much as is shown here." />`)}`;
}

function numbers(lines) {
  const out = new Array(lines);
  for (let at = 0; at < lines; at += 1) out[at] = at + 1;
  return out.join("\n");
}

function coloured(text, name) {
  return pieces(text, name).map(([kind, part]) => (kind ? html`<span class=${kind}>${part}</span>` : part));
}
