// An image through the steps of training: the slider goes from one to the next.
import { html, useEffect } from "../../lib/html.js";
import { time } from "../../lib/format.js";
import { Image } from "./image.js";
import { panel } from "../panel.js";

export default panel(Steps);

function Steps({ files, file }) {
  const found = file.series;
  const images = found?.images ?? [];
  const at = images.findIndex((one) => one.path === file.path);
  useEffect(() => {
    // the neighbours are fetched ahead, so that the slider does not flicker
    for (const one of [images[at + 1], images[at - 1]]) {
      if (one) files.url(one.path).then((url) => { new globalThis.Image().src = url; }, () => undefined);
    }
  }, [file.path]);
  if (!found) return html`<${Image} files=${files} file=${file} />`;
  const go = (index) => { if (images[index]) files.open(images[index].path, { replace: true }); };
  const { step, time: moment } = images[at];
  return html`<div class="steps">
    <div class="bar"><strong>${found.key}</strong>
      <button aria-label="Step before" disabled=${at === 0} onClick=${() => go(at - 1)}>‹</button>
      <input type="range" min="0" max=${images.length - 1} value=${at} aria-label="Step" aria-valuetext=${`step ${step}`} onInput=${(event) => go(Number(event.currentTarget.value))} />
      <button aria-label="Step after" disabled=${at === images.length - 1} onClick=${() => go(at + 1)}>›</button>
      <span>step ${step}</span><span class="muted">${at + 1} of ${images.length}${moment ? ` · ${time(moment)}` : ""}</span></div>
    <${Image} files=${files} file=${file} />
  </div>`;
}
