"""The backend configuration of Databricks: a cluster as MLflow takes it, and what is said besides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches

from attrs import field, frozen

from mlcore.errors import ProjectError

DEFAULT_STORAGE = "dbfs:/mlcore/projects"


@frozen
class DatabricksOptions:
    """What the backend configuration says.

    cluster: the keys of a task that say where it runs: `new_cluster` or `existing_cluster_id`, in Databricks' words.
    libraries: to install on the cluster, in Databricks' words.
    storage: where code and output go: `dbfs:/...` or `/Volumes/CATALOG/SCHEMA/VOLUME/...`.
    profile: of the configuration file; empty for the environment's credentials.
    excludes: patterns of files that are not sent.
    any_python: whether another Python than the project asks for will do.
    timeout_s: after which Databricks ends the job; None for never.
    """

    cluster: Mapping[str, object]
    libraries: tuple[object, ...] = ()
    storage: str = DEFAULT_STORAGE
    profile: str = ""
    excludes: tuple[str, ...] = field(default=())
    any_python: bool = False
    timeout_s: int | None = None

    @classmethod
    def of(cls, config: Mapping[str, object]) -> DatabricksOptions:
        """Read a configuration: `{"new_cluster": {...}, ...}`, or a cluster alone, as MLflow has it.

        Raises ProjectError: lists all that is wrong with it.
        """
        own = {key: value for key, value in config.items() if key in _CHECKS}
        rest = {key: value for key, value in config.items() if key not in _CHECKS}
        faults = [
            f"{key!r} is {value!r}, expected {_CHECKS[key][1]}"
            for key, value in own.items()
            if not _CHECKS[key][0](value)
        ]
        if "new_cluster" in own or "existing_cluster_id" in own:
            faults += [_unknown(key) for key in rest]
            if "new_cluster" in own and "existing_cluster_id" in own:
                faults.append("give 'new_cluster' or 'existing_cluster_id', not both")
            cluster: dict[str, object] = {key: own[key] for key in ("new_cluster", "existing_cluster_id") if key in own}
        else:
            cluster = {"new_cluster": rest}
        found = cluster.get("new_cluster")
        if isinstance(found, Mapping) and not found.get("spark_version"):
            faults.append(
                "there is no cluster: expected 'new_cluster' with 'spark_version', 'node_type_id' and 'num_workers', or "
                "'existing_cluster_id'"
            )
        if faults:
            raise ProjectError("the backend configuration of databricks cannot be used: " + "; ".join(faults))
        timeout = own.get("timeout_seconds")
        return cls(
            cluster,
            _list(own.get("libraries")),
            str(own.get("storage", DEFAULT_STORAGE)).rstrip("/"),
            str(own.get("profile", "")),
            tuple(str(each) for each in _list(own.get("excludes"))),
            bool(own.get("any_python", False)),
            timeout if isinstance(timeout, int) else None,
        )


def _list(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, list | tuple) else ()


def _unknown(key: str) -> str:
    near = get_close_matches(key, _CHECKS, 1)
    return f"unknown key {key!r}{f', did you mean {near[0]!r}?' if near else ''} (known: {', '.join(_CHECKS)})"


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_tables(value: object) -> bool:
    return isinstance(value, list | tuple) and all(_is_table(each) for each in value)


def _is_patterns(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)


def _is_storage(value: object) -> bool:
    if not isinstance(value, str) or ".." in value.split("/"):
        return False
    return (value.startswith("dbfs:/") and len(value) > len("dbfs:/")) or (
        value.count("/") >= 4 and value.startswith("/Volumes/")
    )


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_seconds(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


_CHECKS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "new_cluster": (_is_table, "a table, the cluster's specification"),
    "existing_cluster_id": (_is_text, "the id of a cluster"),
    "libraries": (_is_tables, "a list of tables such as {'pypi': {'package': 'attrs'}}"),
    "storage": (_is_storage, "'dbfs:/...' or '/Volumes/CATALOG/SCHEMA/VOLUME'"),
    "profile": (_is_text, "the name of a profile in ~/.databrickscfg"),
    "excludes": (_is_patterns, "a list of patterns"),
    "any_python": (_is_flag, "true or false"),
    "timeout_seconds": (_is_seconds, "a number of seconds"),
}
