"""The one HTML page: what the browser has to load, and what it may do."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping

from mlcore_ui.joined import Joined

MAIN = "app/main.js"
# what modules of plugins may import by name, too
BARE = {
    "preact": "vendor/preact.js",
    "preact/hooks": "vendor/preact-hooks.js",
    "htm": "vendor/htm.js",
    "@preact/signals": "vendor/signals.js",
    "@preact/signals-core": "vendor/signals-core.js",
    "uplot": "vendor/uplot.js",
    "marked": "vendor/marked.js",
}
# what is loaded with the first page; the other libraries come with the page that needs them
_FIRST = ("preact", "preact/hooks", "htm", "@preact/signals", "@preact/signals-core")


class Page:
    """The page as it is under one path of one server."""

    def __init__(self, joined: Joined, base: str, start: Mapping[str, object]) -> None:
        """Make the page.

        base: the path of the UI, such as `/ui` or `/mlflow/ui`. start: what the application is told, plain JSON values.
        """
        place = f"{base}/a/{joined.assets.digest}"
        # no spaces: the browser hashes the text as it stands
        homes = {f"{place}/{path}": home for path, home in joined.homes.items()}
        imports = to_json({"imports": {name: f"{place}/{path}" for name, path in {**BARE, **homes}.items()}})
        hashed = base64.b64encode(hashlib.sha256(imports.encode()).digest()).decode()
        self.policy: str = "; ".join(
            (
                "default-src 'none'",
                f"script-src 'self' 'sha256-{hashed}'",
                "style-src 'self'",
                "img-src 'self' data: blob:",
                "media-src 'self'",
                "connect-src 'self'",
                "font-src 'self'",
                "frame-src 'self'",
                "base-uri 'self'",
                "form-action 'self'",
                "frame-ancestors 'self'",
                "object-src 'none'",
                "require-trusted-types-for 'script'",
                "trusted-types mlcore",
            )
        )
        self.body: bytes = _document(joined, place, imports, to_json({**start, "assets": place})).encode()


def _document(joined: Joined, place: str, imports: str, start: str) -> str:
    styles = f'<link rel="stylesheet" href="{html.escape(f"{place}/{joined.style}")}">\n'
    wanted = [*(BARE[name] for name in _FIRST), *joined.assets.modules(MAIN)]
    preload = "".join(f'<link rel="modulepreload" href="{html.escape(f"{place}/{path}")}">\n' for path in wanted)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>mlcore</title>
<link rel="icon" href="{html.escape(place)}/icon.svg" type="image/svg+xml">
{styles}<script type="importmap">{imports}</script>
{preload}</head>
<body>
<div id="app"><noscript>mlcore's pages need JavaScript, from this server alone.</noscript></div>
<script type="application/json" id="start">{start}</script>
<script type="module" src="{html.escape(f"{place}/{MAIN}")}"></script>
</body>
</html>
"""


def to_json(value: object) -> str:
    """Return JSON that cannot end the script element it stands in."""
    text = json.dumps(value, separators=(",", ":"), sort_keys=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
