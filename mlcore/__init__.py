"""mlcore: record, compare, save, load and serve machine-learning models.

`import mlcore as mlflow` runs classic MLflow code. Names are resolved at first use, so the import itself
costs next to nothing.
"""

from __future__ import annotations

import sys

__version__ = "0.1.0"

TYPE_CHECKING = False  # type checkers know the name; importing it from typing would be most of this import's time
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from mlcore import entities, exceptions, models, tracking
    from mlcore.entities import (
        Experiment,
        FileInfo,
        LifecycleStage,
        Metric,
        Param,
        Run,
        RunData,
        RunInfo,
        RunStatus,
        RunTag,
        ViewType,
    )
    from mlcore.errors import MlcoreError
    from mlcore.hookspecs import HookSpecs, hookimpl
    from mlcore.interfaces import ArtifactRepo, Deployer, Flavor, ProjectBackend, RegistryStore, TrackingStore
    from mlcore.models import pyfunc
    from mlcore.models.autolog import autolog
    from mlcore.models.flavor_module import FlavorModule
    from mlcore.models.saving import log_model
    from mlcore.tracking import artifact_api as artifacts
    from mlcore.tracking import datasets as data
    from mlcore.tracking.artifact_api import download_artifacts
    from mlcore.tracking.client import Client
    from mlcore.tracking.client import Client as MlflowClient
    from mlcore.tracking.fluent import (
        active_run,
        delete_tag,
        end_run,
        flush_artifact_async_logging,
        flush_async_logging,
        get_artifact_uri,
        last_active_run,
        log_artifact,
        log_artifacts,
        log_dict,
        log_figure,
        log_image,
        log_input,
        log_inputs,
        log_metric,
        log_metrics,
        log_param,
        log_params,
        log_stream,
        log_table,
        log_text,
        set_tag,
        set_tags,
        start_run,
    )
    from mlcore.tracking.fluent_registry import (
        register_model,
        search_model_versions,
        search_registered_models,
        set_model_version_tag,
    )
    from mlcore.tracking.fluent_search import (
        create_experiment,
        delete_experiment,
        delete_experiment_tag,
        delete_run,
        get_experiment,
        get_experiment_by_name,
        get_parent_run,
        get_registry_uri,
        get_run,
        get_tracking_uri,
        is_tracking_uri_set,
        load_table,
        rename_experiment,
        rename_run,
        restore_experiment,
        restore_run,
        search_experiments,
        search_runs,
        set_experiment,
        set_experiment_tag,
        set_experiment_tags,
        set_registry_uri,
        set_terminated,
        set_tracking_uri,
    )
    from mlcore.tracking.run_handle import ActiveRun, RunHandle
    from mlcore.tracking.system_metrics import (
        disable_system_metrics_logging,
        enable_system_metrics_logging,
        set_system_metrics_node_id,
        set_system_metrics_samples_before_logging,
        set_system_metrics_sampling_interval,
    )

# Where each public name lives; `module` alone means the module itself.
_HOMES: dict[str, tuple[str, ...]] = {
    "mlcore.entities": (
        "Experiment", "FileInfo", "LifecycleStage", "Metric", "Param", "Run", "RunData", "RunInfo", "RunStatus", "RunTag",
        "ViewType",
    ),
    "mlcore.errors": ("MlcoreError",),
    "mlcore.hookspecs": ("HookSpecs", "hookimpl"),
    "mlcore.interfaces": (
        "ArtifactRepo", "Deployer", "Flavor", "ProjectBackend", "RegistryStore", "TrackingStore",
    ),
    "mlcore.models.autolog": ("autolog",),
    "mlcore.models.saving": ("log_model",),
    "mlcore.tracking.artifact_api": ("download_artifacts",),
    "mlcore.tracking.client": ("Client",),
    "mlcore.tracking.fluent": (
        "active_run", "delete_tag", "end_run", "flush_artifact_async_logging", "flush_async_logging", "get_artifact_uri",
        "last_active_run", "log_artifact", "log_artifacts", "log_dict", "log_figure", "log_image", "log_input", "log_inputs", "log_metric", "log_metrics", "log_param",
        "log_params", "log_stream", "log_table", "log_text", "set_tag", "set_tags", "start_run",
    ),
    "mlcore.tracking.fluent_registry": (
        "register_model", "search_model_versions", "search_registered_models", "set_model_version_tag",
    ),
    "mlcore.tracking.fluent_search": (
        "create_experiment", "delete_experiment", "delete_experiment_tag", "delete_run",
        "get_experiment", "get_experiment_by_name", "get_parent_run", "get_registry_uri", "get_run", "get_tracking_uri",
        "is_tracking_uri_set", "load_table", "rename_experiment", "rename_run", "restore_experiment", "restore_run",
        "search_experiments", "search_runs", "set_experiment", "set_experiment_tag", "set_experiment_tags",
        "set_registry_uri", "set_terminated", "set_tracking_uri",
    ),
    "mlcore.tracking.run_handle": ("ActiveRun", "RunHandle"),
    "mlcore.tracking.system_metrics": (
        "disable_system_metrics_logging", "enable_system_metrics_logging", "set_system_metrics_node_id",
        "set_system_metrics_samples_before_logging", "set_system_metrics_sampling_interval",
    ),
}  # fmt: skip
_ALIASES = {
    "MlflowClient": "mlcore.tracking.client:Client",
    "MlflowException": "mlcore.errors:MlcoreError",
    "data": "mlcore.tracking.datasets",
    "artifacts": "mlcore.artifacts",
    "entities": "mlcore.entities",
    "exceptions": "mlcore.exceptions",
    "pyfunc": "mlcore.models.pyfunc",
    "models": "mlcore.models",
    "system_metrics": "mlcore.tracking.system_metrics",
    "tracking": "mlcore.tracking",
}
_WHERE = {name: f"{home}:{name}" for home, names in _HOMES.items() for name in names} | _ALIASES

__all__ = [
    "ActiveRun", "ArtifactRepo", "Client", "Deployer", "Experiment", "FileInfo", "Flavor", "HookSpecs",
    "LifecycleStage", "Metric", "MlcoreError", "MlflowClient", "Param", "ProjectBackend", "RegistryStore", "Run",
    "RunData", "RunHandle", "RunInfo", "RunStatus", "RunTag", "TrackingStore", "ViewType", "active_run", "artifacts",
    "autolog", "create_experiment", "data", "delete_experiment", "delete_experiment_tag", "delete_run", "delete_tag",
    "disable_system_metrics_logging", "download_artifacts", "enable_system_metrics_logging", "end_run", "entities",
    "exceptions", "flush_artifact_async_logging", "flush_async_logging",
    "get_artifact_uri", "get_experiment", "get_experiment_by_name", "get_parent_run", "get_registry_uri", "get_run",
    "get_tracking_uri", "hookimpl", "is_tracking_uri_set", "last_active_run", "load_table", "log_artifact",
    "log_artifacts", "log_dict", "log_figure", "log_image", "log_input", "log_inputs", "log_metric", "log_metrics",
    "log_model", "log_param", "log_params", "log_stream", "log_table", "log_text", "models", "pyfunc",
    "register_model", "rename_experiment", "rename_run", "restore_experiment", "restore_run", "search_experiments", "search_model_versions",
    "search_registered_models", "search_runs", "set_experiment", "set_experiment_tag", "set_experiment_tags", "set_model_version_tag", "set_registry_uri", "set_system_metrics_node_id",
    "set_system_metrics_samples_before_logging", "set_system_metrics_sampling_interval", "set_tag", "set_tags",
    "set_terminated", "set_tracking_uri", "start_run", "tracking",
]  # fmt: skip


def __getattr__(name: str) -> FlavorModule:  # what type checkers see of a name that is not listed above
    """Resolve a public name, or a flavor: `mlcore.sklearn` is the API of the installed flavor of that name."""
    import importlib

    home = _WHERE.get(name)
    if home is not None:
        module, _, attribute = home.partition(":")
        found = importlib.import_module(module)
        value = getattr(found, attribute) if attribute else found
        globals()[name] = value
        return value  # type: ignore[return-value]  # whatever the name stands for; listed names have their own types
    if not name.startswith("_"):
        from mlcore.models.flavor_module import find_flavor_module
        from mlcore.plugin_index import install_hints

        flavor = find_flavor_module(name)
        if flavor is not None:
            return flavor
        plugin = install_hints("flavor").get(name)
        if plugin is not None:
            raise AttributeError(f"flavor {name!r} is not installed: pip install {plugin}")
    raise AttributeError(f"module 'mlcore' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Submodules:
    """Finds `import mlcore.pyfunc` and `from mlcore.sklearn import log_model`, for which there are no files."""

    @classmethod
    def find_spec(cls, name: str, *_where: object) -> ModuleSpec | None:
        parent, _, child = name.rpartition(".")
        if parent != __name__ or ":" in _WHERE.get(child, ""):
            return None
        from importlib.machinery import ModuleSpec

        try:
            __getattr__(child)
        except AttributeError:
            return None
        return ModuleSpec(name, cls)  # type: ignore[arg-type]  # a class is as good a loader as an instance

    @staticmethod
    def create_module(spec: ModuleSpec) -> None:
        """Let the import system make an empty module."""

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        # whoever imports gets what stands here afterwards
        sys.modules[module.__name__] = __getattr__(module.__name__.rpartition(".")[2])  # type: ignore[assignment]  # stands for a module


sys.meta_path.append(_Submodules)
