// An HTML report: its scripts run in a sandbox that has no origin, sends nothing and sees nothing but its own folder.
import { html, useEffect, useRef, useState } from "../../lib/html.js";
import { ErrorCard } from "../errorcard.js";
import { Loading, useRaw } from "./use.js";
import { folderOf } from "./place.js";
import { panel } from "../panel.js";

export default panel(Report);

function Report({ files, file }) {
  const { url, error, renew } = useRaw(files, file.path, folderOf(file.path));
  const [open, setOpen] = useState({ url: "", status: 0 });
  const [expired, setExpired] = useState("");
  const loads = useRef({ url: "", count: 0 });
  useEffect(() => {
    if (!url) return undefined;
    let wanted = true;
    // nothing is known of what a frame in a sandbox got, so the ticket is tried before
    status(url).then((found) => { if (wanted && !(found === 403 && renew())) setOpen({ url, status: found }); });
    return () => { wanted = false; };
  }, [url]);
  if (error) return html`<${ErrorCard} error=${error} />`;
  if (!url || open.url !== url) return html`<${Loading} />`;
  const again = () => { setExpired(""); renew({ insist: true }); };
  if (open.status === 403) return html`<${ErrorCard} error=${new Error("The server does not open it: your right to read it, or the link to it, has ended.")} title="The report cannot be shown" onAgain=${again} />`;
  const onLoad = async () => {
    const count = loads.current.url === url ? loads.current.count + 1 : 1;
    loads.current = { url, count };
    // a link in the report was followed: after an hour it leads nowhere
    if (count > 1 && await status(url) === 403) setExpired(url);
  };
  return html`${expired === url && html`<p class="banner gone" role="alert">The link to this report has run out. <button onClick=${again}>Load it again</button></p>`}
    <iframe class="report" key=${url} sandbox="allow-scripts" referrerpolicy="no-referrer" title=${`Report ${file.name}`} src=${url} onLoad=${onLoad}></iframe>
    <p class="muted">The report runs apart from this page and cannot load anything from the internet. <a href=${url} target="_blank" rel="noopener noreferrer">Open it alone</a></p>`;
}

/** What the server says to a request for a file; 0 when it says nothing. */
async function status(url) {
  try {
    return (await fetch(url, { method: "HEAD", credentials: "same-origin" })).status;
  } catch {
    return 0;
  }
}
