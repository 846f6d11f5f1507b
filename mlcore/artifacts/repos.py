"""Open the artifact repository at a concrete URI."""

from __future__ import annotations

from mlcore.errors import InvalidParameterError
from mlcore.hookspecs import HookSpecs
from mlcore.interfaces import ArtifactRepo
from mlcore.plugins import Plugins
from mlcore.uris import absolute, redacted, scheme

_NAMES_ONLY = {"runs": "a run", "models": "a registered model"}


def open_repo(uri: str, plugins: Plugins) -> ArtifactRepo:
    """Open the artifact repository at *uri* through the plugin that answers to its scheme.

    uri: a local path, or a URI with scheme. `runs:/` and `models:/` only name a place; `resolve.locate` finds it.
    Nothing is kept: the caller holds on to the repository, and closes it.
    Raises InvalidParameterError: a URI of a run or model. PluginNotFoundError: nobody knows the scheme.
    """
    named = _NAMES_ONLY.get(scheme(uri))
    if named:
        raise InvalidParameterError(
            f"URI {redacted(uri)!r} names {named}, not a place: expected a path or a URI such as 's3://bucket/prefix'; "
            "look it up first, as download_artifacts does"
        )
    return plugins.first(HookSpecs.artifact_repo, uri=absolute(uri))
