// What somebody asks for: open wishes on top, with what the reader may do about them.
import { html, useState } from "../../lib/html.js";
import { href } from "../../lib/url.js";
import { ago, time } from "../../lib/format.js";
import { manifest } from "../../lib/session.js";
import { toast } from "../../components/toast.js";
import { Dialog } from "../../components/dialog.js";
import { decide, withdraw } from "./registry.js";
import { stageName } from "./moves.js";

const WORDS = {
  APPROVED: ["Approve", "The version is moved at once, in the name of who asked."],
  REJECTED: ["Reject", "Nothing is moved."],
  CANCELLED: ["Take back", "Nothing is moved."],
};

/** @param {{wishes: any[], edits: boolean, onChanged: () => void}} props */
export function OpenWishes({ wishes, edits, onChanged }) {
  const [asking, setAsking] = useState(null);
  const open = wishes.filter((one) => one.status === "PENDING");
  const user = manifest.value?.user?.name;
  if (!open.length && !asking) return null;
  return html`<section class="wishes" aria-label="Open requests"><h2>${open.length === 1 ? "One open request" : `${open.length} open requests`}</h2>
    <ul>${open.map((one) => {
      const own = user !== undefined && one.user === user;
      return html`<li key=${one.request_id}><div class="grow"><${Wish} one=${one} /></div>
        <div class="actions">
          ${edits && !own && html`<button class="primary" aria-label=${`Approve version ${one.version} to ${one.stage}`} onClick=${() => setAsking({ one, status: "APPROVED" })}>Approve</button>`}
          ${edits && !own && html`<button aria-label=${`Reject version ${one.version} to ${one.stage}`} onClick=${() => setAsking({ one, status: "REJECTED" })}>Reject</button>`}
          ${(own || edits) && html`<button aria-label=${`Take back version ${one.version} to ${one.stage}`} onClick=${() => setAsking({ one, status: "CANCELLED" })}>Take back</button>`}
          ${own && edits && html`<span class="muted">Somebody else has to approve it.</span>`}
        </div></li>`;
    })}</ul>
    ${asking && html`<${Decide} ...${asking} own=${user !== undefined && asking.one.user === user} onClose=${() => setAsking(null)} onChanged=${onChanged} />`}
  </section>`;
}

/** Wishes that were decided. */
export function DecidedWishes({ wishes }) {
  const done = wishes.filter((one) => one.status !== "PENDING");
  if (!done.length) return null;
  return html`<details class="decided"><summary>Decided requests (${done.length})</summary>
    <ul>${done.map((one) => html`<li key=${one.request_id}><${Wish} one=${one} />
      <p><span class=${`status ${one.status === "APPROVED" ? "finished" : "killed"}`}>${one.status.toLowerCase()}</span>
        by ${one.decided_by || "somebody"} <time title=${time(one.decided)}>${ago(one.decided)}</time>${one.decision && html`: <q>${one.decision}</q>`}</p></li>`)}</ul></details>`;
}

function Wish({ one }) {
  return html`<p><strong>${one.user || "Somebody"}</strong> asks that <a href=${href(`models/${one.name}/${one.version}`)}>version ${one.version}</a> gets to <strong>${stageName(one.stage)}</strong>${one.archive_existing && html`, and that the versions there are archived`}
    <time class="muted" title=${time(one.created)}> ${ago(one.created)}</time></p>${one.comment && html`<p class="comment">${one.comment}</p>`}`;
}

function Decide({ one, status, own, onClose, onChanged }) {
  const [comment, setComment] = useState("");
  const [wrong, setWrong] = useState("");
  const [action, note] = WORDS[status];
  const send = async (event) => {
    event.preventDefault();
    try {
      if (status === "CANCELLED") await withdraw(one.request_id, comment);
      else await decide(one.request_id, status, comment);
    } catch (error) {
      setWrong(error.message);
      onChanged();
      return;
    }
    toast(`the request for version ${one.version} was ${status === "CANCELLED" ? "taken back" : status.toLowerCase()}`);
    onClose();
    onChanged();
  };
  return html`<${Dialog} title=${own ? "Take your request back" : `${action} a request`} onClose=${onClose}>
    <form class="stack" onSubmit=${send}><${Wish} one=${one} /><p class="muted">${note}</p>
      <label>Why (for the history)<textarea class="wide" rows="2" autofocus value=${comment} onInput=${(event) => setComment(event.currentTarget.value)}></textarea></label>
      <p class="wrong" role="alert">${wrong}</p>
      <footer class="actions"><button type="button" onClick=${onClose}>Cancel</button><button class=${status === "APPROVED" ? "primary" : "danger"}>${action}</button></footer>
    </form><//>`;
}
