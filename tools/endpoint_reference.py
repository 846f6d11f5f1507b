"""Write docs/endpoints.md from the endpoint table."""

from __future__ import annotations

from pathlib import Path

from mlcore.wire.endpoint import Endpoint
from mlcore.wire.endpoints import ENDPOINTS

OUT = Path(__file__).resolve().parent.parent / "docs" / "endpoints.md"
HEAD = """# REST endpoints

Generated from the table in `mlcore/wire/endpoints.py`, which the server turns into routes and the client into calls;
`GET /openapi.json` of a server describes every field. Each path below `/api/2.0` is served below `/ajax-api/2.0` as well;
those marked * also below `/api/2.0/preview`, for clients of MLflow 1.x.

*Since* is the first release line of MLflow that has the endpoint; `mlcore` is what only mlcore has. *Needs* is what the
caller has to be allowed: an action, and on what; where it says `public`, nobody is asked who they are.
"""


def text() -> str:
    """Return the page."""
    groups: dict[str, list[Endpoint]] = {}
    for endpoint in ENDPOINTS:
        groups.setdefault(endpoint.call.partition(".")[0], []).append(endpoint)
    parts = [HEAD]
    for group, endpoints in groups.items():
        parts.append(
            f"\n## {group.replace('_', ' ').capitalize()}\n\n| method | path | needs | since |\n|---|---|---|---|\n"
        )
        parts += [_row(endpoint) for endpoint in endpoints]
    return "".join(parts)


def _row(endpoint: Endpoint) -> str:
    need = endpoint.permission
    shown = "public" if need.action is None else f"{need.action} {need.kind.replace('_', ' ')}"
    mark = "*" if endpoint.preview else ""
    return f"| {endpoint.method} | `{endpoint.paths[0]}`{mark} | {shown} | {endpoint.since} |\n"


if __name__ == "__main__":
    OUT.write_text(text(), encoding="utf-8")
    print(f"wrote {OUT.relative_to(OUT.parent.parent)}")
