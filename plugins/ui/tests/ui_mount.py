"""One component of the pages by itself, in a page of a real server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_PREPARE = """async ([path, name, props]) => {
    const at = JSON.parse(document.getElementById("start").textContent).assets;
    const { html, render, useState } = await import(`${at}/lib/html.js`);
    const { runColor } = await import(`${at}/lib/colors.js`);
    const Component = (await import(`${at}/${path}`))[name];
    const runs = props.runs.map(([run_id, called]) => ({ run_id, name: called, color: runColor(run_id) }));
    window.picked = null;
    function Page() {
        const [query, setQuery] = useState(props.query ?? {});
        const [revision, setRevision] = useState(0);
        window.query = query;
        window.again = () => setRevision((old) => old + 1);
        const change = (changes) => setQuery((old) => Object.fromEntries(Object.entries({ ...old, ...changes }).filter(([, value]) => value !== null)));
        return html`<h1>Tried</h1><${Component} ...${props} runs=${runs} query=${query} onQuery=${change} revision=${revision}
            onSelect=${(ids) => { window.picked = ids; }} params=${query} setParams=${change} select=${(ids) => { window.picked = ids; }} />`;
    }
    const main = document.getElementById("main");
    main.textContent = "";
    const box = document.createElement("div");
    main.append(box);
    render(html`<${Page} />`, box);
}"""


def mount(page: Any, path: str, name: str, *, runs: Sequence[tuple[str, str]], **props: object) -> None:
    """Show a component in the page that is open; its query is `window.query`, `window.again()` says that runs changed.

    path: of the module below `static`. runs: ids and names.
    """
    page.evaluate(_PREPARE, [path, name, {"runs": list(runs), **props}])
