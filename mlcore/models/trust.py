"""The one decision on whether a model may run the code that it brings."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote

from mlcore.errors import UntrustedModelError
from mlcore.uris import local_path, scheme


def require_trust(reason: str | None, where: str, *, trusted: bool) -> None:
    """Pass when loading runs no code of the model, or when the model is trusted.

    reason: what would run code, as `Flavor.code_in` says it; None when nothing would.
    where: the model's URI or path, for the message.
    Raises UntrustedModelError: says what would run and how to trust.
    """
    if reason is None or trusted:
        return
    raise UntrustedModelError(
        f"loading the model at {where!r} would run code that it brings: {reason}. If you trust whoever wrote it, pass "
        "trust=True, or --trust on the command line, or list the place in the setting trust_models: "
        f"MLCORE_TRUST_MODELS={where}"
    )


def is_trusted(uri: str, prefixes: Iterable[str]) -> bool:
    """Whether *uri* is one of *prefixes* or lies below one.

    Local paths are compared with links resolved; `s3://b/models` does not cover `s3://b/models-of-others`, and a URI
    with `..` in any spelling is below nothing.
    """
    place = _normal(uri)
    if place is None:
        return False
    for prefix in prefixes:
        root = _normal(prefix)
        if root is not None and (place == root or place.startswith(root if root.endswith("/") else root + "/")):
            return True
    return False


def _normal(uri: str) -> str | None:
    if scheme(uri) == "file":
        return Path(os.path.realpath(local_path(uri))).as_posix()
    decoded = uri
    for _ in range(8):
        if decoded == (once := unquote(decoded)):
            break
        decoded = once
    else:
        return None
    head, _, rest = uri.partition(":")
    if ".." in decoded.replace("\\", "/").split("/"):
        return None
    leading = rest[: len(rest) - len(rest.lstrip("/"))]
    tail = posixpath.normpath(rest.lstrip("/")) if rest.strip("/") else ""
    return f"{head.lower()}:{leading}{tail}"
