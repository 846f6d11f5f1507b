"""The contract of a deployer: how a model gets to a serving target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from attrs import field, frozen


@frozen
class Deployment:
    """A model at a target.

    state: `creating`, `ready`, `updating`, `failed` or `deleting`.
    detail: what the target itself tells, plain JSON values.
    """

    name: str
    state: str
    model_uri: str | None = None
    flavor: str | None = None
    detail: Mapping[str, object] = field(factory=dict)


@runtime_checkable
class Deployer(Protocol):
    """Bring models to one kind of target.

    To write one, make two files: `plugin.py` with the hook `deployer`, and `deployer.py` with a class that has
    these methods.
    """

    def create(self, name: str, model_uri: str, flavor: str | None, config: Mapping[str, object]) -> Deployment:
        """Deploy a model. Raises AlreadyExistsError: the name is in use for another model."""
        ...

    def update(self, name: str, model_uri: str | None, flavor: str | None, config: Mapping[str, object]) -> Deployment:
        """Replace model or configuration; on failure the old deployment goes on serving."""
        ...

    def delete(self, name: str, config: Mapping[str, object]) -> None:
        """Remove a deployment; nothing happens when it is not there."""
        ...

    def list(self) -> tuple[Deployment, ...]:
        """Return all deployments at the target, by name."""
        ...

    def get(self, name: str) -> Deployment:
        """Return one deployment. Raises NotFoundError: no such deployment."""
        ...

    def predict(self, name: str, body: bytes, content_type: str) -> tuple[bytes, str]:
        """Send a scoring request; return body and content type of the answer."""
        ...
