"""Who the server is: mlcore's own, or MLflow's of some release; and what it lacks, told once for each ability."""

from __future__ import annotations

import json
import re
import warnings

from attrs import frozen

from mlcore.errors import InvalidParameterError
from mlcore_store_rest.service import Service

_INFO, _VERSION = "/api/3.0/mlflow/server-info", "/version"


class MissingAbilityWarning(UserWarning):
    """The server lacks something, and the client does it by itself, or does without."""


@frozen
class Peer:
    """A server's product, `mlcore` or `mlflow`, and its release.

    version: (0, 0) when the server does not tell.
    abilities: of mlcore's own servers, what they do beyond MLflow's protocol.
    """

    product: str
    version: tuple[int, int]
    text: str = ""
    abilities: frozenset[str] = frozenset()

    @property
    def is_mlcore(self) -> bool:
        """Whether it is mlcore's own server."""
        return self.product == "mlcore"

    @property
    def shown(self) -> str:
        """Product and release, for messages."""
        name = "mlcore" if self.is_mlcore else "MLflow"
        return f"{name} {self.text}".strip()


def meet(service: Service) -> Peer:
    """Ask the server who it is.

    Raises StoreUnavailableError: no answer. UnauthenticatedError, PermissionDeniedError: it wants credentials.
    InvalidParameterError: something else is there.
    """
    info = service.remote.ask("GET", _INFO)
    if info.status not in (200, 404, 405):
        raise service.remote.error(_INFO, info)
    own = _object(info.body).get("mlcore") if info.status == 200 else None
    if isinstance(own, dict):
        text = str(own.get("version", ""))
        return Peer("mlcore", _numbers(text), text, frozenset(str(own.get("abilities", "")).replace(",", " ").split()))
    told = service.remote.ask("GET", _VERSION)
    if told.status not in (200, 404, 405):
        raise service.remote.error(_VERSION, told)
    text = told.body.decode("utf-8", "replace").strip() if told.status == 200 else ""
    if text and not re.match(r"\d+\.\d+", text):
        raise InvalidParameterError(
            f"{service.shown} is no MLflow or mlcore server: it answers {_VERSION!r} with {text[:40]!r}; check host, "
            "port and path prefix of the URI"
        )
    return Peer("mlflow", _numbers(text), text)


class Shortfalls:
    """What a server lacks, each told once."""

    def __init__(self, shown: str) -> None:
        """Speak of the server *shown*."""
        self._shown = shown
        self._told: set[str] = set()

    def tell(self, ability: str, instead: str) -> None:
        """Warn that the server lacks *ability*, and what happens instead; the first time only."""
        if ability not in self._told:
            self._told.add(ability)
            warnings.warn(f"{self._shown} lacks {ability!r}: {instead}", MissingAbilityWarning, stacklevel=2)


def _object(body: bytes) -> dict[str, object]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _numbers(text: str) -> tuple[int, int]:
    found = re.match(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)
