"""What clients are told of the server's own places: nothing."""

from __future__ import annotations

from mlcore.errors import InvalidParameterError
from mlcore.uris import local_path, scheme
from mlcore_server.config import ServerConfig

_INSTEAD = "..."
_LEAST = 3  # a shorter text than this is part of many a message


class Discretion:
    """Keeps the places where the server has its data out of messages; stores name them for the operator."""

    def __init__(self, config: ServerConfig) -> None:
        """Know the places of *config*; those that clients use themselves are no secret."""
        found: set[str] = set()
        for uri in (config.tracking_uri, config.registry_uri, config.artifacts_destination, config.state_dir):
            found |= {uri, *_path(uri)}
        # a place inside of another one is the longer text, and has to go first
        self._texts = sorted((text for text in found if len(text) >= _LEAST), key=len, reverse=True)

    def told(self, message: str) -> str:
        """Return *message* as clients may see it."""
        for text in self._texts:
            message = message.replace(text, _INSTEAD)
        return message


def _path(uri: str) -> tuple[str, ...]:
    """Return the path on the server's disk that a URI stands for, if it stands for one."""
    if scheme(uri) == "sqlite":
        path = uri.partition("?")[0].partition(":///")[2]
        return (path,) if path.startswith("/") else ()
    try:
        return (str(local_path(uri)),)
    except InvalidParameterError:
        return ()
