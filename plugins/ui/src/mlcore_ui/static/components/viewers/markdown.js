import { html, useCallback, useState } from "../../lib/html.js";
import { ErrorCard } from "../errorcard.js";
import { Markdown } from "../markdown.js";
import { folderOf } from "./place.js";
import { Loading, TakeAway, useRaw, useText } from "./use.js";
import { panel } from "../panel.js";

const MOST = 1 << 20;

export default panel(MarkdownFile);

function MarkdownFile({ files, file }) {
  const { data, error, again } = useText(files, file, MOST);
  const picture = useCallback((href, alt) => {
    const path = beside(file.path, href);
    return path && html`<${Picture} key=${path} files=${files} path=${path} alt=${alt} />`;
  }, [files.key, file.path]);
  if (error) return html`<${ErrorCard} error=${error} onAgain=${again} />`;
  if (!data) return html`<${Loading} />`;
  return html`<${Markdown} text=${data.text} picture=${picture} />${!data.whole && html`<${TakeAway} files=${files} file=${file} why="This is the beginning." />`}`;
}

function Picture({ files, path, alt }) {
  const { url, error, renew } = useRaw(files, path);
  const [broken, setBroken] = useState(false);
  if (error || broken) return html`<span class="muted" title=${path}>[${alt || "image"}: there is no image ${path}]</span>`;
  return url ? html`<img src=${url} alt=${alt} onError=${() => { if (!renew()) setBroken(true); }} />` : null;
}

/** The path of a file that another one names; "" when it leads out of the place. @param {string} path @param {string} href relative to its folder */
export function beside(path, href) {
  const parts = folderOf(path).split("/").filter(Boolean);
  let named;
  try { named = decodeURIComponent(href.split(/[?#]/)[0]); } catch { return ""; }
  for (const part of named.split("/")) {
    if (part === "..") { if (!parts.length) return ""; parts.pop(); } else if (part && part !== ".") parts.push(part);
  }
  return parts.join("/");
}
