// The filter: typed text is the address, completion helps, a fault is shown at its place while the rows stay.
import { html, useEffect, useRef, useState } from "../../lib/html.js";

const IDLE_MS = 300;
// half-typed text waits for more, and is judged when no more comes
const HALF_MS = 1500;
let language;

/**
 * @param {{text: string, error: any, keys: import("../../lib/types.js").Facet[], find?: import("../../lib/types.js").Find|null, onText: (text: string) => void}} props
 * error: what the server says of the filter, with the place of the fault where it is known. find: where keys are not all
 */
export function FilterBar({ text, error, keys, find = null, onText }) {
  const box = useRef(/** @type {HTMLInputElement|null} */ (null));
  const timer = useRef(0);
  const given = useRef(text.trim());
  const [typed, setTyped] = useState(text);
  const [help, setHelp] = useState({ from: 0, to: 0, options: [], at: -1 });
  const [left, setLeft] = useState(0);
  useEffect(() => {
    // another address was opened; what is being typed came from here
    if (text.trim() !== given.current) { given.current = text.trim(); setTyped(text); }
  }, [text]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const send = (value) => {
    clearTimeout(timer.current);
    given.current = value.trim();
    onText(value.trim());
  };
  const soon = (value) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      if (language && halfTyped(value, language.expected)) timer.current = setTimeout(() => send(value), HALF_MS - IDLE_MS);
      else send(value);
    }, IDLE_MS);
  };
  const suggest = async () => {
    try {
      language ??= await import("./language.js");
    } catch {
      return; // the server is away: one can write without help
    }
    const input = box.current;
    if (!input || document.activeElement !== input) return;
    const { value, selectionStart } = input;
    setHelp({ ...language.complete(value, selectionStart ?? 0, keys), at: -1 });
    setLeft(input.scrollLeft);
    const wanted = find ? language.sought(value.slice(0, selectionStart ?? 0)) : "";
    if (!wanted || keys.some((one) => one.column === wanted)) return;
    await new Promise((done) => setTimeout(done, IDLE_MS));
    const same = () => box.current === input && input.value === value && document.activeElement === input;
    const more = same() ? await find(wanted).catch(() => null) : null;
    if (more?.keys.length && same()) setHelp({ ...language.complete(value, input.selectionStart ?? 0, [...more.keys, ...keys]), at: -1 });
  };
  const onInput = (event) => {
    const { value } = event.currentTarget;
    setTyped(value);
    soon(value);
    suggest();
  };
  const close = () => setHelp((old) => ({ ...old, options: [], at: -1 }));
  const take = (option) => {
    const input = box.current;
    const space = option.text === "(" ? "" : " ";
    const value = `${input.value.slice(0, help.from)}${option.text}${space}${input.value.slice(help.to).replace(/^ /, "")}`;
    const caret = help.from + option.text.length + space.length;
    setTyped(value);
    // drawn first, or the caret goes to the end
    requestAnimationFrame(() => { input.setSelectionRange(caret, caret); suggest(); });
    soon(value);
  };
  const onKeyDown = (event) => {
    const { options, at } = help;
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && options.length) {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      setHelp({ ...help, at: at < 0 && step < 0 ? options.length - 1 : (at + step + options.length) % options.length });
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      suggest();
    } else if ((event.key === "Enter" || event.key === "Tab") && at >= 0) {
      event.preventDefault();
      take(options[at]);
    } else if (event.key === "Enter") {
      close();
      send(typed);
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (options.length) close();
      else box.current?.blur();
    }
  };
  const wrong = error && typed.trim() === text.trim() ? error : null;
  // further lines draw what the line under the text shows
  const said = wrong ? wrong.message.split("\n")[0].replace(/, at column \d+$/, "") : "";
  const place = wrong && Number.isInteger(wrong.position) ? Math.min(wrong.position, typed.length) : null;
  const open = help.options.length > 0;
  return html`<div class="filter" role="search">
    <input id="filter" ref=${box} type="text" class="filter-text" role="combobox" aria-label="Filter runs" aria-autocomplete="list" aria-expanded=${open} aria-controls="filter-options"
      aria-activedescendant=${open && help.at >= 0 ? `filter-option-${help.at}` : undefined} aria-invalid=${Boolean(wrong)} aria-describedby="filter-wrong"
      placeholder='metrics.rmse < 1 and params.model = "tree"' autocomplete="off" autocapitalize="off" spellcheck=${false} value=${typed}
      onInput=${onInput} onKeyDown=${onKeyDown} onFocus=${suggest} onClick=${suggest} onBlur=${() => { close(); if (typed.trim() !== given.current) send(typed); }}
      onScroll=${(event) => setLeft(event.currentTarget.scrollLeft)} />
    ${typed && html`<button class="plain filter-clear" aria-label="Clear the filter" onClick=${() => { setTyped(""); send(""); box.current?.focus(); }}>✕</button>`}
    <ul id="filter-options" role="listbox" aria-label="What can stand here" class="filter-options" hidden=${!open} style=${{ left: `calc(${help.from}ch + 11px - ${left}px)` }}>
      ${help.options.map((one, at) => html`<li id=${`filter-option-${at}`} key=${one.text} role="option" aria-selected=${at === help.at}
        onMouseDown=${(event) => { event.preventDefault(); take(one); }}><code>${one.text}</code><span class="muted">${one.about}</span></li>`)}
    </ul>
    <div id="filter-wrong" class="filter-wrong" aria-live="polite">${wrong && html`
      ${place !== null && html`<span class="filter-caret" aria-hidden="true" style=${{ marginLeft: `calc(${place}ch + 11px - ${left}px)`, width: `${Math.max(1, word(typed, place))}ch` }}></span>`}
      <span>${place === null ? "" : `At column ${place + 1}: `}${said}</span>`}</div>
  </div>`;
}

/** Whether a filter surely goes on: it ends in a word, a value or a bracket that is not whole. */
function halfTyped(text, expected) {
  if (!text.trim()) return false;
  const bare = text.replace(/`[^`]*`|"[^"]*"|'[^']*'/g, "");
  if (bare.split("(").length > bare.split(")").length) return true;
  const { want, partial, operator } = expected(text);
  if (want !== "value") return want !== "word" || partial !== "";
  return !partial || !(/^("[^"]*"|'[^']*')$/.test(partial) || Number.isFinite(Number(partial)) || (operator === "IS" && /^null$/i.test(partial)));
}

/** How long the word at a place is. */
function word(text, place) {
  return /^[^\s()]*/.exec(text.slice(place))?.[0].length ?? 1;
}
