"""What a server's artifact proxy can do beyond moving files itself."""

from __future__ import annotations

import functools
import json

from mlcore.remote.client import Remote

_INFO = "/api/3.0/mlflow/server-info"


class Talents:
    """Asked for once, when first needed."""

    def __init__(self, remote: Remote) -> None:
        """Ask *remote*."""
        self._remote = remote

    @functools.cached_property
    def has_multipart(self) -> bool:
        """Whether parts of large files may go straight to the storage."""
        answer = self._remote.ask("GET", _INFO)
        if answer.status != 200:
            return False
        try:
            found = json.loads(answer.body)
        except ValueError:
            return False
        return isinstance(found, dict) and found.get("multipart_uploads_enabled") is True
