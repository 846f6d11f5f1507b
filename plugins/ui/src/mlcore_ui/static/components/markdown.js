// Markdown as elements: HTML in it is shown as text, links lead to http, https, mail or inside only.
import { html, useEffect, useState } from "../lib/html.js";

let lexer;

/** @param {{text: string, picture?: (path: string, alt: string) => any}} props picture: draws the image at a relative path; without it, its text is shown */
export function Markdown({ text, picture }) {
  const [tokens, setTokens] = useState(null);
  useEffect(() => {
    let wanted = true;
    (lexer ? Promise.resolve(lexer) : import("marked").then((module) => (lexer = module.marked)))
      .then((marked) => { if (wanted) setTokens(marked.lexer(text)); },
        // the text stays as it was written; the next one tries again
        () => undefined);
    return () => { wanted = false; };
  }, [text]);
  return html`<div class="markdown">${tokens ? drawn(tokens, picture) : html`<p>${text}</p>`}</div>`;
}

/** What draws images while a text is drawn, which is done in one go. @type {((path: string, alt: string) => any)|undefined} */
let drawing;

function drawn(tokens, picture) {
  drawing = picture;
  try { return blocks(tokens); } finally { drawing = undefined; }
}

function blocks(tokens) {
  return (tokens ?? []).map(block);
}

function block(token) {
  switch (token.type) {
    case "space": return null;
    // the page has its own h1 and h2
    case "heading": return html`<${`h${Math.min(6, token.depth + 2)}`}>${inline(token.tokens)}<//>`;
    case "paragraph": return html`<p>${inline(token.tokens)}</p>`;
    case "code": return html`<pre tabindex="0"><code>${token.text}</code></pre>`;
    case "blockquote": return html`<blockquote>${blocks(token.tokens)}</blockquote>`;
    case "list": return html`<${token.ordered ? "ol" : "ul"} start=${token.ordered && token.start !== 1 ? token.start : undefined}>${token.items.map(item)}<//>`;
    case "table": return table(token);
    case "hr": return html`<hr />`;
    case "text": return token.tokens ? inline(token.tokens) : plain(token.text);
    default: return token.raw;
  }
}

function item(token) {
  return html`<li>${token.task && html`<input type="checkbox" disabled checked=${token.checked} aria-label=${token.checked ? "done" : "open"} /> `}${blocks(token.tokens)}</li>`;
}

function table(token) {
  return html`<div class="scroll"><table><thead><tr>${token.header.map((cell) => html`<th>${inline(cell.tokens)}</th>`)}</tr></thead>
    <tbody>${token.rows.map((row) => html`<tr>${row.map((cell) => html`<td>${inline(cell.tokens)}</td>`)}</tr>`)}</tbody></table></div>`;
}

function inline(tokens) {
  return (tokens ?? []).map((token) => {
    switch (token.type) {
      case "strong": return html`<strong>${inline(token.tokens)}</strong>`;
      case "em": return html`<em>${inline(token.tokens)}</em>`;
      case "del": return html`<del>${inline(token.tokens)}</del>`;
      case "codespan": return html`<code>${plain(token.text)}</code>`;
      case "br": return html`<br />`;
      case "link": return link(token);
      case "image": return image(token);
      case "text": case "escape": return token.tokens ? inline(token.tokens) : plain(token.text);
      default: return token.raw;
    }
  });
}

function image(token) {
  // what lies elsewhere would tell others who reads this
  const isNear = !/^([a-z][a-z0-9+.-]*:|\/|#|\\)/i.test(token.href);
  return (isNear && drawing?.(token.href, token.text)) || html`<span class="muted">[${token.text || "image"}]</span>`;
}

function link(token) {
  const address = safe(token.href);
  if (!address) return token.raw;
  return html`<a href=${address} rel="noopener noreferrer nofollow">${inline(token.tokens)}</a>`;
}

/** The address, if following it can do no harm; else null. @param {string} address */
export function safe(address) {
  try {
    const url = new URL(address, location.href);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? address : null;
  } catch {
    return null;
  }
}

const NAMED = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'" };

/** The lexer escapes some texts for HTML; elements show them as they are. */
function plain(text) {
  return text.replace(/&(?:amp|lt|gt|quot|#39);/g, (found) => NAMED[found]);
}
