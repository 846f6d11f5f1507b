"""Small requests to the proxy, with JSON both ways."""

from __future__ import annotations

import json
from collections.abc import Mapping

from mlcore.errors import StoreUnavailableError
from mlcore.remote.client import Remote


def json_answer(
    remote: Remote, method: str, target: str, body: Mapping[str, object] | None = None, *, shown: str
) -> Mapping[str, object]:
    """Ask and return the JSON object that is answered. Raises what the server tells.

    shown: what it is about, for errors.
    """
    headers = {"content-type": "application/json"} if body is not None else {}
    content = json.dumps(body).encode() if body is not None else b""
    answer = remote.ask(method, target, headers=headers, body=content)
    if answer.status != 200:
        err = remote.error(target, answer)
        err.add_note(f"about the artifact {shown!r}")
        raise err
    try:
        found = json.loads(answer.body) if answer.body.strip() else {}
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise StoreUnavailableError(
            f"{remote.place.shown} answers {target.partition('?')[0]!r} with what is not a JSON object: check that an "
            "MLflow or mlcore server is there"
        )
    return found
