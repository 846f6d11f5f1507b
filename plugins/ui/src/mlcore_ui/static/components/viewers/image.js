// An image: fitted to the page or in its own size. A script inside an SVG does not run in an img.
import { html, useState } from "../../lib/html.js";
import { ErrorCard } from "../errorcard.js";
import { TakeAway, useRaw } from "./use.js";
import { panel } from "../panel.js";

const MOST = 64 << 20;

export default panel(Image);

export function Image({ files, file }) {
  const [anyway, setAnyway] = useState("");
  if ((file.size_bytes ?? 0) > MOST && anyway !== file.path) {
    return html`<${TakeAway} files=${files} file=${file} why="This image is very big." /><p><button onClick=${() => setAnyway(file.path)}>Show it anyway</button></p>`;
  }
  return html`<${Picture} files=${files} file=${file} />`;
}

function Picture({ files, file }) {
  const { url, error, renew } = useRaw(files, file.path);
  const [real, setReal] = useState(false);
  const [size, setSize] = useState({ path: "", text: "" });
  const [broken, setBroken] = useState("");
  if (error) return html`<${ErrorCard} error=${error} />`;
  if (broken === url && url) return html`<${TakeAway} files=${files} file=${file} why="This file is not an image that the browser can show." />`;
  const told = ({ currentTarget: image }) => setSize({ path: file.path, text: `${image.naturalWidth} × ${image.naturalHeight} pixels` });
  return html`<figure class="picture">
    <div class=${`stage ${real ? "real" : ""}`} tabindex=${real ? 0 : undefined} role=${real ? "region" : undefined} aria-label=${real ? "Image in its own size" : undefined}>
      ${url && html`<img src=${url} alt=${file.name} onLoad=${told} onError=${() => { if (!renew()) setBroken(url); }} />`}</div>
    <figcaption class="bar"><span class="muted">${size.path === file.path ? size.text : ""}</span>
      <label class="check"><input type="checkbox" checked=${real} onChange=${() => setReal(!real)} /> own size</label></figcaption>
  </figure>`;
}
