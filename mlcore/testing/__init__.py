"""Contract suites and reference implementations for the tests of plugins.

    from mlcore.testing import ArtifactRepoContract

A name is imported when it is asked for, so that a suite costs only what it needs itself.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlcore.testing.artifact_repo import ArtifactRepoContract
    from mlcore.testing.authority import AuthorityContract
    from mlcore.testing.authority_case import AuthorityCase
    from mlcore.testing.batch_engine import BatchEngineContract
    from mlcore.testing.before_transition import BeforeTransitionContract
    from mlcore.testing.command import CommandContract
    from mlcore.testing.contract import Contract
    from mlcore.testing.deployer import DeployerContract
    from mlcore.testing.environment import EnvironmentContract
    from mlcore.testing.event import EventContract
    from mlcore.testing.flavor import FlavorContract
    from mlcore.testing.memory_authority import MemoryAuthority
    from mlcore.testing.memory_batch import MemoryBatchEngine
    from mlcore.testing.memory_deployer import MemoryDeployer
    from mlcore.testing.memory_environment import MemoryEnvironment
    from mlcore.testing.memory_flavor import MemoryFlavor
    from mlcore.testing.memory_project import MemoryBackend
    from mlcore.testing.memory_registry import MemoryRegistryStore
    from mlcore.testing.memory_repo import MemoryRepo
    from mlcore.testing.memory_sampler import MemorySampler
    from mlcore.testing.memory_target import MemoryTarget
    from mlcore.testing.memory_tracking import MemoryTrackingStore
    from mlcore.testing.plugin_module import PluginModuleContract
    from mlcore.testing.project_backend import ProjectBackendContract
    from mlcore.testing.registry_store import RegistryStoreContract
    from mlcore.testing.run_context import RunContextContract
    from mlcore.testing.run_monitor import RunMonitorContract
    from mlcore.testing.sampler import SamplerContract
    from mlcore.testing.tracking_store import TrackingStoreContract
    from mlcore.testing.ui_extensions import UIExtensionsContract

_HOMES = {
    "ArtifactRepoContract": "artifact_repo",
    "AuthorityCase": "authority_case",
    "AuthorityContract": "authority",
    "BatchEngineContract": "batch_engine",
    "BeforeTransitionContract": "before_transition",
    "CommandContract": "command",
    "Contract": "contract",
    "DeployerContract": "deployer",
    "EnvironmentContract": "environment",
    "EventContract": "event",
    "FlavorContract": "flavor",
    "MemoryAuthority": "memory_authority",
    "MemoryBackend": "memory_project",
    "MemoryBatchEngine": "memory_batch",
    "MemoryDeployer": "memory_deployer",
    "MemoryEnvironment": "memory_environment",
    "MemoryFlavor": "memory_flavor",
    "MemoryRegistryStore": "memory_registry",
    "MemoryRepo": "memory_repo",
    "MemorySampler": "memory_sampler",
    "MemoryTarget": "memory_target",
    "MemoryTrackingStore": "memory_tracking",
    "PluginModuleContract": "plugin_module",
    "ProjectBackendContract": "project_backend",
    "RegistryStoreContract": "registry_store",
    "RunContextContract": "run_context",
    "RunMonitorContract": "run_monitor",
    "SamplerContract": "sampler",
    "TrackingStoreContract": "tracking_store",
    "UIExtensionsContract": "ui_extensions",
}

__all__ = [
    "ArtifactRepoContract",
    "AuthorityCase",
    "AuthorityContract",
    "BatchEngineContract",
    "BeforeTransitionContract",
    "CommandContract",
    "Contract",
    "DeployerContract",
    "EnvironmentContract",
    "EventContract",
    "FlavorContract",
    "MemoryAuthority",
    "MemoryBackend",
    "MemoryBatchEngine",
    "MemoryDeployer",
    "MemoryEnvironment",
    "MemoryFlavor",
    "MemoryRegistryStore",
    "MemoryRepo",
    "MemorySampler",
    "MemoryTarget",
    "MemoryTrackingStore",
    "PluginModuleContract",
    "ProjectBackendContract",
    "RegistryStoreContract",
    "RunContextContract",
    "RunMonitorContract",
    "SamplerContract",
    "TrackingStoreContract",
    "UIExtensionsContract",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r} (known: {', '.join(__all__)})")
    return getattr(import_module(f"{__name__}.{home}"), name)
