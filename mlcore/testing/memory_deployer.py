"""A deployer in memory: a fake for tests, and the shortest complete example of the contract."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping

from attrs import evolve

from mlcore.errors import (
    AlreadyExistsError,
    InvalidParameterError,
    LimitExceededError,
    MlcoreError,
    NotFoundError,
)
from mlcore.interfaces import Deployment
from mlcore.testing.memory_flavor import LinearModel, read_model
from mlcore.uris import local_path

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-]{0,62}")


class MemoryDeployer:
    """Serve linear models from a dict of name to deployment."""

    def __init__(self) -> None:
        """Start with an empty target."""
        self.deployed: dict[str, tuple[Deployment, LinearModel]] = {}
        self._lock = threading.RLock()
        self._fault = ""

    def fail_next(self, kind: str) -> None:
        """Let the next creation or update fail: `step`, `quota` or `interrupt`."""
        self._fault = kind

    def create(self, name: str, model_uri: str, flavor: str | None, config: Mapping[str, object]) -> Deployment:
        """Deploy a model. Raises AlreadyExistsError: the name is in use for another model."""
        _refuse_unknown(config)
        if not _NAME.fullmatch(name):
            raise InvalidParameterError(f"invalid deployment name {name!r}: expected 1 to 63 letters, digits, hyphens")
        with self._lock:
            if name in self.deployed:
                found = self.deployed[name][0]
                if found.model_uri == model_uri:
                    return found
                raise AlreadyExistsError(f"deployment {name!r} serves {found.model_uri!r} already: update or delete it")
            return self._put(Deployment(name, "ready", model_uri, flavor))

    def update(self, name: str, model_uri: str | None, flavor: str | None, config: Mapping[str, object]) -> Deployment:
        """Replace the model; on failure the old deployment goes on serving."""
        _refuse_unknown(config)
        with self._lock:
            old = self.get(name)
            return self._put(evolve(old, model_uri=model_uri or old.model_uri, flavor=flavor or old.flavor))

    def delete(self, name: str, config: Mapping[str, object]) -> None:
        """Remove a deployment; nothing happens when it is not there."""
        del config
        with self._lock:
            self.deployed.pop(name, None)

    def list(self) -> tuple[Deployment, ...]:
        """Return all deployments, by name."""
        with self._lock:
            return tuple(self.deployed[name][0] for name in sorted(self.deployed))

    def get(self, name: str) -> Deployment:
        """Return one deployment. Raises NotFoundError: no such deployment."""
        return self._find(name)[0]

    def predict(self, name: str, body: bytes, content_type: str) -> tuple[bytes, str]:
        """Send a scoring request: JSON with `inputs`, a list of numbers."""
        model = self._find(name)[1]
        if content_type != "application/json":
            raise InvalidParameterError(f"unknown content type {content_type!r}: expected 'application/json'")
        inputs = json.loads(body)["inputs"]
        return json.dumps({"predictions": [model(float(x)) for x in inputs]}).encode(), "application/json"

    def _find(self, name: str) -> tuple[Deployment, LinearModel]:
        with self._lock:
            if name not in self.deployed:
                raise NotFoundError(f"no deployment {name!r} in memory (known: {', '.join(self.deployed) or 'none'})")
            return self.deployed[name]

    def _put(self, wanted: Deployment) -> Deployment:
        """Make it visible as the last step, so that a failure before has nothing to undo."""
        model = read_model(local_path(str(wanted.model_uri)) / "model.json")
        fault, self._fault = self._fault, ""
        if fault == "interrupt":
            raise KeyboardInterrupt
        if fault == "quota":
            raise LimitExceededError(f"deployment {wanted.name!r} needs one instance more than the quota: raise it")
        if fault:
            raise MlcoreError(f"deployment {wanted.name!r} failed at {fault!r}; nothing was changed")
        self.deployed[wanted.name] = (wanted, model)
        return wanted


def _refuse_unknown(config: Mapping[str, object]) -> None:
    if config:
        raise InvalidParameterError(f"unknown key {min(config)!r} of a deployment in memory: it has no configuration")
