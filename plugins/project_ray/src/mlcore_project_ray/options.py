"""The backend configuration of Ray: what a user may say, checked before anything is sent."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from difflib import get_close_matches

from attrs import field, frozen

from mlcore.errors import ProjectError

DEFAULT_ADDRESS = "http://127.0.0.1:8265"
_ADDRESSES = ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS")


@frozen
class RayOptions:
    """What the backend configuration says.

    address: of the cluster's dashboard, such as `http://ray:8265`.
    runtime_env: further keys of Ray's runtime environment, in Ray's own words.
    resources: keys of a job submission that reserve something for the command, by Ray's names.
    metadata: of the job, for people.
    excludes: patterns of files that are not sent.
    own_directory: whether the job gets a directory of its own; else jobs with the same files share one on each node.
    any_python: whether another Python than the project asks for will do.
    """

    address: str
    runtime_env: Mapping[str, object] = field(factory=dict)
    resources: Mapping[str, object] = field(factory=dict)
    metadata: Mapping[str, str] = field(factory=dict)
    excludes: tuple[str, ...] = ()
    own_directory: bool = False
    any_python: bool = False

    @classmethod
    def of(cls, config: Mapping[str, object]) -> RayOptions:
        """Read a configuration. Raises ProjectError: lists all that is wrong with it."""
        faults = [_unknown(key) for key in config if key not in _CHECKS]
        faults += [
            f"{key!r} is {config[key]!r}, expected {_CHECKS[key][1]}"
            for key in config
            if key in _CHECKS and not _CHECKS[key][0](config[key])
        ]
        if not faults and "working_dir" in _table(config.get("runtime_env", {})):
            faults.append("'runtime_env' has 'working_dir': that is the project, which is sent by itself")
        if faults:
            raise ProjectError("the backend configuration of ray cannot be used: " + "; ".join(faults))
        return cls(
            str(config.get("address") or default_address()),
            _table(config.get("runtime_env", {})),
            {key: config[key] for key in _RESOURCES if key in config},
            {key: str(value) for key, value in _table(config.get("metadata", {})).items()},
            tuple(str(each) for each in _list(config.get("excludes", ()))),
            bool(config.get("own_directory", False)),
            bool(config.get("any_python", False)),
        )


def default_address() -> str:
    """Return the cluster that Ray's own variables name, as Ray's client does, else the one on this machine."""
    found = next((os.environ[name] for name in _ADDRESSES if os.environ.get(name, "").startswith("http")), "")
    return found.rstrip("/") or DEFAULT_ADDRESS


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, list | tuple) else ()


def _unknown(key: str) -> str:
    near = get_close_matches(key, _CHECKS, 1)
    return f"unknown key {key!r}{f', did you mean {near[0]!r}?' if near else ''} (known: {', '.join(_CHECKS)})"


def _is_address(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://"))


def _is_texts(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(each, str) for each in value.values())


def _is_patterns(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_numbers(value: object) -> bool:
    return isinstance(value, Mapping) and all(_is_number(each) for each in value.values())


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


_RESOURCES: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "entrypoint_num_cpus": (_is_number, "a number of CPUs"),
    "entrypoint_num_gpus": (_is_number, "a number of GPUs"),
    "entrypoint_memory": (_is_count, "a number of bytes"),
    "entrypoint_resources": (_is_numbers, "a table of numbers"),
    "entrypoint_label_selector": (_is_texts, "a table of texts"),
}
_CHECKS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "address": (_is_address, "the URL of the cluster's dashboard, such as 'http://ray:8265' (not ray://)"),
    "runtime_env": (lambda value: isinstance(value, Mapping), "a table, Ray's runtime environment"),
    **_RESOURCES,
    "metadata": (_is_texts, "a table of texts"),
    "excludes": (_is_patterns, "a list of patterns"),
    "own_directory": (_is_flag, "true or false"),
    "any_python": (_is_flag, "true or false"),
}
