// Sound and video by the browser's own players, which ask for the parts that they play.
import { html, useState } from "../../lib/html.js";
import { ErrorCard } from "../errorcard.js";
import { Loading, TakeAway, useRaw } from "./use.js";
import { panel } from "../panel.js";

const VIDEO = /\.(mp4|webm|ogv|mov|m4v)$/i;

export default panel(Media);

function Media({ files, file }) {
  const { url, error, renew } = useRaw(files, file.path);
  const [broken, setBroken] = useState("");
  if (error) return html`<${ErrorCard} error=${error} />`;
  if (!url) return html`<${Loading} />`;
  if (broken === url) return html`<${TakeAway} files=${files} file=${file} why="The browser cannot play this file." />`;
  const failed = () => { if (!renew()) setBroken(url); };
  return VIDEO.test(file.name)
    ? html`<video class="player" key=${url} controls preload="metadata" src=${url} aria-label=${file.name} onError=${failed}></video>`
    : html`<audio class="player" key=${url} controls preload="metadata" src=${url} aria-label=${file.name} onError=${failed}></audio>`;
}
