"""The kinds of plugins that can be written from a template: one per hook."""

from __future__ import annotations

from attrs import frozen


@frozen
class Kind:
    """A hook, and the words that its templates need.

    about: what such a plugin is, for its summary.
    """

    hook: str
    about: str


KINDS: dict[str, Kind] = {
    kind.hook: kind
    for kind in (
        Kind("tracking_store", "Tracking store of mlcore"),
        Kind("registry_store", "Registry store of mlcore"),
        Kind("artifact_repo", "Artifact repository of mlcore"),
        Kind("project_backend", "Project backend of mlcore"),
        Kind("environment", "Environment manager of mlcore"),
        Kind("flavor", "Model flavor of mlcore"),
        Kind("deployer", "Deployer of mlcore"),
        Kind("batch_engine", "Batch engine of mlcore"),
        Kind("run_context", "Tags for runs of mlcore"),
        Kind("command", "Command of the mlcore program"),
        Kind("web", "Page of the mlcore server"),
        Kind("event", "Listener to events of mlcore"),
    )
}
