"""The fluent API on registered models, with MLflow's names and signatures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlcore.entities import ModelVersion, RegisteredModel
from mlcore.errors import ArtifactNotFoundError
from mlcore.tracking.client import Client
from mlcore.tracking.client_registry import AWAIT_S
from mlcore.tracking.locating import find
from mlcore.tracking.session import current_session
from mlcore.tracking.tables import all_pages

_PAGE = 1000  # what servers give at a time


def register_model(
    model_uri: str,
    name: str,
    await_registration_for: int | None = AWAIT_S,
    *,
    tags: Mapping[str, object] | None = None,
) -> ModelVersion:
    """Add a version to the registered model *name*, made if it is not there, and return it when it is ready.

    model_uri: `runs:/<run id>/<path>`, `models:/...`, a path, or the URI of any artifact place.
    Raises ArtifactNotFoundError: there is nothing at *model_uri*.
    """
    session, client = current_session(), Client()
    found = find(session, model_uri)
    repo = session.repo(found.root_uri)
    if repo.stat(found.path) is None and not repo.list(found.path):
        raise ArtifactNotFoundError(
            f"nothing is at {model_uri!r}, so it cannot be registered as {name!r}: log the model first, and give the "
            "URI that log_model returned"
        )
    client.get_or_create_registered_model(name)
    return client.create_model_version(name, model_uri, tags=tags, await_creation_for=await_registration_for)


def search_registered_models(
    max_results: int | None = None, filter_string: str | None = None, order_by: Sequence[str] | None = None
) -> list[RegisteredModel]:
    """Return registered models that fit, all of them unless *max_results* is given."""
    client = Client()
    return all_pages(
        lambda size, token: client.search_registered_models(filter_string, min(size, _PAGE), order_by, token),
        max_results,
    )


def search_model_versions(
    max_results: int | None = None, filter_string: str | None = None, order_by: Sequence[str] | None = None
) -> list[ModelVersion]:
    """Return model versions that fit, all of them unless *max_results* is given."""
    client = Client()
    return all_pages(
        lambda size, token: client.search_model_versions(filter_string, min(size, _PAGE), order_by, token), max_results
    )


def set_model_version_tag(
    name: str, version: str | int | None = None, key: str | None = None, value: object = None
) -> None:
    """Set a tag of a model version."""
    Client().set_model_version_tag(name, version, key, value)
