"""The hooks of mlcore-context-default."""

from __future__ import annotations

from collections.abc import Mapping

from mlcore.hookspecs import hookimpl


@hookimpl
def run_context() -> Mapping[str, str]:
    """Return user, source and git state as the tags that MLflow uses; `MLCORE_RUN_CONTEXT` wins over them."""
    from mlcore_context_default.environment import given_tags
    from mlcore_context_default.git import git_tags
    from mlcore_context_default.source import find_source, user

    source = find_source()
    found = {
        "mlflow.user": user(),
        "mlflow.source.name": source.name,
        "mlflow.source.type": source.kind,
        "mlflow.project.entryPoint": source.entry_point,
    }
    if source.directory is not None:
        found.update(git_tags(source.directory, interactive=source.interactive))
    return {k: v for k, v in {**found, **given_tags()}.items() if v}
