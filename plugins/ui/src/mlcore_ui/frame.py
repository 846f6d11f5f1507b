"""The page in which an isolated module or a document of a plugin is shown: without cookies, storage, requests or the way to its parent."""

from __future__ import annotations

import html

from mlcore_ui.assets import Assets
from mlcore_ui.page import BARE, to_json

MAIN = "frame/main.js"


class Frame:
    """The frame as it is under one path of one server."""

    def __init__(self, assets: Assets, base: str) -> None:
        """Make the frame. base: the path of the UI, such as `/ui`."""
        place = f"{base}/a/{assets.digest}"
        imports = to_json({"imports": {name: f"{place}/{path}" for name, path in BARE.items()}})
        self.policy: str = "; ".join(
            (
                # an origin of its own, that of nobody, so that what runs here reaches neither the page nor the server;
                # 'self' is still where this document came from
                "sandbox allow-scripts",
                "default-src 'none'",
                "script-src 'self' 'unsafe-inline'",
                "style-src 'self' 'unsafe-inline'",
                "img-src data: blob:",
                "connect-src 'none'",
                "form-action 'none'",
                "base-uri 'none'",
                "frame-ancestors 'self'",
            )
        )
        self.body: bytes = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>panel</title>
<link rel="stylesheet" href="{html.escape(place)}/styles/00-base.css">
<script type="importmap">{imports}</script>
</head>
<body>
<div id="panel"></div>
<script type="module" src="{html.escape(f"{place}/{MAIN}")}" crossorigin="anonymous"></script>
</body>
</html>
""".encode()
