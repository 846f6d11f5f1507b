"""The kinds of plugins that can be written from a template: one per hook, and one for authorities."""

from __future__ import annotations

from attrs import frozen

_URI, _NAME = 'scheme(uri) != "@key@"', 'name != "@key@"'


@frozen
class Kind:
    """A hook, and the words that its templates need.

    about: what such a plugin is, for its summary.
    protocol: what its factory returns; empty for hooks without one, which have templates of their own.
    suite, fixture: the contract suite of `mlcore.testing`, and what it asks the test for.
    reference, source: the implementation to start from, a class and its module in `mlcore.testing`.
    module, role: file and last word of the class that is made of it.
    arguments, foreign: of the hook, and when they mean somebody else.
    name: of the kind, where it is not the hook's.
    """

    hook: str
    about: str
    protocol: str = ""
    suite: str = ""
    fixture: str = ""
    reference: str = ""
    source: str = ""
    module: str = ""
    role: str = ""
    arguments: str = "name: str"
    foreign: str = _NAME
    name: str = ""


KINDS: dict[str, Kind] = {
    kind.name or kind.hook: kind
    for kind in (
        Kind(
            "tracking_store",
            "Tracking store of mlcore",
            "TrackingStore",
            "TrackingStoreContract",
            "store",
            "MemoryTrackingStore",
            "memory_tracking",
            "store",
            "Store",
            "uri: str, artifact_root: str | None",
            _URI,
        ),
        Kind(
            "registry_store",
            "Registry store of mlcore",
            "RegistryStore",
            "RegistryStoreContract",
            "registry",
            "MemoryRegistryStore",
            "memory_registry",
            "registry",
            "Registry",
            "uri: str",
            _URI,
        ),
        Kind(
            "artifact_repo",
            "Artifact repository of mlcore",
            "ArtifactRepo",
            "ArtifactRepoContract",
            "repo",
            "MemoryRepo",
            "memory_repo",
            "repo",
            "Repo",
            "uri: str",
            _URI,
        ),
        Kind(
            "project_backend",
            "Project backend of mlcore",
            "ProjectBackend",
            "ProjectBackendContract",
            "backend",
            "MemoryBackend",
            "memory_project",
            "backend",
            "Backend",
        ),
        Kind(
            "environment",
            "Environment manager of mlcore",
            "EnvironmentManager",
            "EnvironmentContract",
            "environment",
            "MemoryEnvironment",
            "memory_environment",
            "manager",
            "Environments",
        ),
        Kind(
            "flavor",
            "Model flavor of mlcore",
            "Flavor",
            "FlavorContract",
            "flavor",
            "MemoryFlavor",
            "memory_flavor",
            "flavor",
            "Flavor",
        ),
        Kind(
            "deployer",
            "Deployer of mlcore",
            "Deployer",
            "DeployerContract",
            "deployer",
            "MemoryDeployer",
            "memory_deployer",
            "deployer",
            "Deployer",
            "name: str, target_uri: str",
        ),
        Kind(
            "batch_engine",
            "Batch engine of mlcore",
            "BatchEngine",
            "BatchEngineContract",
            "engine",
            "MemoryBatchEngine",
            "memory_batch",
            "engine",
            "Engine",
        ),
        Kind(
            "sampler",
            "Sampler for searches of mlcore",
            "Sampler",
            "SamplerContract",
            "sampler",
            "MemorySampler",
            "memory_sampler",
            "sampler",
            "Sampler",
        ),
        Kind("run_context", "Tags for runs of mlcore"),
        Kind("run_monitor", "Monitor of runs of mlcore"),
        Kind("command", "Command of the mlcore program"),
        Kind("web", "Page of the mlcore server"),
        Kind(
            "web",
            "Authority of the mlcore server",
            "Authority",
            "AuthorityContract",
            "case",
            "MemoryAuthority",
            "memory_authority",
            "authority",
            "Authority",
            name="authority",
        ),
        Kind("ui_extensions", "Panel of the web UI of mlcore"),
        Kind("before_transition", "Gate before the stages and aliases of mlcore"),
        Kind("event", "Listener to events of mlcore"),
    )
}
