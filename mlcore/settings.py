"""Typed settings: from arguments, then the environment, then a project file, then defaults; each knows its origin."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
from attrs import field, frozen

from mlcore.errors import SettingsError
from mlcore.uris import anchored, redacted

FILES = ("mlcore.toml", "pyproject.toml")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text")
    return value


def _place(value: object) -> str:
    """A text that names a store; in a settings file a relative path is seen from the file."""
    return _text(value)


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "1", "yes", "on"):
        return True
    if isinstance(value, str) and value.strip().lower() in ("false", "0", "no", "off"):
        return False
    raise TypeError("true or false")


def _names(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value):
        return tuple(value)
    raise TypeError("a list of texts, separated by commas in an environment variable")


def _choices(value: object) -> dict[str, str]:
    if isinstance(value, str):
        pairs = [part.partition("=") for part in _names(value)]
        if all(sep for _, sep, _ in pairs):
            return {key.strip(): chosen.strip() for key, _, chosen in pairs}
    elif isinstance(value, Mapping) and all(isinstance(chosen, str) for chosen in value.values()):
        return {str(key): chosen for key, chosen in value.items()}
    raise TypeError("a table such as {'tracking_store:sqlite' = 'my-distribution'}, in a variable key=value,key=value")


def _port(value: object) -> int:
    number = int(value) if isinstance(value, str) and value.isdigit() else value
    if isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= 65535:
        return number
    raise TypeError("a port number, 0 to 65535")


def _seconds(value: object) -> float:
    try:
        number = float(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else -1.0
    except ValueError:
        number = -1.0
    if 0 <= number < float("inf"):
        return number
    raise TypeError("a number of seconds, 0 or more")


def _megabytes(value: object) -> int:
    number = int(value) if isinstance(value, str) and value.isdigit() else value
    if isinstance(number, int) and not isinstance(number, bool) and number > 0:
        return number
    raise TypeError("a whole number of megabytes, 1 or more")


def _count(value: object) -> int:
    number = int(value) if isinstance(value, str) and value.isdigit() else value
    if isinstance(number, int) and not isinstance(number, bool) and number > 0:
        return number
    raise TypeError("a whole number, 1 or more")


def _fsync(value: object) -> str:
    text = str(value).strip().lower() if not isinstance(value, bool) else ""
    if text in ("never", "always") or (text.isdigit() and int(text) > 0):
        return text
    raise TypeError("never, always, or a number of milliseconds")


def _setting(
    default: object, parse: Callable[[object], object], about: str, *, mlflow: str | None = None, from_file: bool = True
) -> Any:
    # Any: an attrs field stands where the annotation's own type is expected
    metadata = {"parse": parse, "about": about, "mlflow": mlflow, "from_file": from_file}
    return field(default=default, metadata=metadata)


@frozen
class Origin:
    """Where a setting's value comes from.

    place: `argument`, `environment`, `file` or `default`.
    detail: the variable's name or the file's path and key; empty for the rest.
    """

    place: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.place} {self.detail}".strip()


@frozen
class Explained:
    """One setting as `mlcore config show` prints it; secrets are masked."""

    name: str
    value: str
    origin: Origin
    about: str


@frozen(kw_only=True)
class Settings:
    """All settings of mlcore.

    Each can be set by an argument, by `MLCORE_<NAME>`, by the MLflow variable of the same meaning, in `mlcore.toml`
    or under `[tool.mlcore]` of `pyproject.toml` (the nearest file upwards from the working directory). Relative paths in
    a file are seen from the file, so that all programs below it share one store.
    """

    tracking_uri: str = _setting(
        "sqlite:///mlcore.db", _place, "where experiments and runs are kept", mlflow="MLFLOW_TRACKING_URI"
    )
    registry_uri: str | None = _setting(
        None, _place, "where registered models are kept; the tracking URI if unset", mlflow="MLFLOW_REGISTRY_URI"
    )
    artifact_root: str | None = _setting(
        None,
        _place,
        "where new experiments put artifacts; the store chooses if unset",
        mlflow="MLFLOW_DEFAULT_ARTIFACT_ROOT",
    )
    experiment_name: str | None = _setting(
        None, _text, "experiment of new runs, by name; created when missing", mlflow="MLFLOW_EXPERIMENT_NAME"
    )
    experiment_id: str | None = _setting(None, _text, "experiment of new runs, by id", mlflow="MLFLOW_EXPERIMENT_ID")
    run_id: str | None = _setting(
        None, _text, "run that the first start_run() resumes; not from a file", mlflow="MLFLOW_RUN_ID", from_file=False
    )
    truncate_long_values: bool = _setting(
        True,
        _flag,
        "cut param and tag values over the limit instead of refusing them",
        mlflow="MLFLOW_TRUNCATE_LONG_VALUES",
    )
    deployments_target: str | None = _setting(
        None, _text, "where models are deployed when no target is named", mlflow="MLFLOW_DEPLOYMENTS_TARGET"
    )
    trust_models: tuple[str, ...] = _setting(
        (), _names, "URI prefixes of models whose code may run on loading; not from a file", from_file=False
    )
    model_public_key: str | None = _setting(
        None, _text, "key file whose signature models must have to be loaded; not from a file", from_file=False
    )
    plugins: tuple[str, ...] | None = _setting(None, _names, "only these plugins: distributions or hook:key")
    disable_plugins: tuple[str, ...] = _setting((), _names, "never these plugins: distributions or hook:key")
    prefer: Mapping[str, str] = _setting(
        attrs.Factory(dict), _choices, "distribution to use where two offer one hook:key"
    )
    bridges: tuple[str, ...] = _setting(
        (), _names, "other plugin systems whose installed plugins are offered too: mlflow, or mlflow:DISTRIBUTION"
    )
    strict: bool = _setting(False, _flag, "let each recording call wait for the store, and raise what it raises")
    offline: bool = _setting(False, _flag, "record without touching the store; `mlcore sync` delivers later")
    spool_dir: str | None = _setting(
        None, _place, "where journals wait for their store; below the user's state directory if unset"
    )
    spool_limit_mb: int = _setting(4096, _megabytes, "how much may wait in the spool, in megabytes")
    fsync: str = _setting(
        "never", _fsync, "when journals are forced to the disk: never (the system does), always, or every so many ms"
    )
    patience_s: float = _setting(10.0, _seconds, "how long to wait for a store that does not answer, in seconds")
    heartbeat_s: float = _setting(
        30.0, _seconds, "how often a running run says that its process lives, in seconds; 0 for never"
    )
    log_system_metrics: bool = _setting(
        False, _flag, "record what the machine does in each run", mlflow="MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING"
    )
    system_metrics_s: float = _setting(
        10.0,
        _seconds,
        "how often system metrics are taken, in seconds",
        mlflow="MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL",
    )
    system_metrics_samples: int = _setting(
        1,
        _count,
        "how many samples of system metrics make one point, their mean",
        mlflow="MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING",
    )
    system_metrics_node: str | None = _setting(
        None,
        _text,
        "name of this machine in its system metrics' names, where several work on one run",
        mlflow="MLFLOW_SYSTEM_METRICS_NODE_ID",
    )
    cache_dir: str | None = _setting(
        None,
        _place,
        "where environments, checkouts and downloads of projects are kept; the user's cache directory if unset",
    )
    env_manager: str | None = _setting(
        None,
        _text,
        "what makes projects' environments: uv, virtualenv, conda, docker or local; chosen by the project if unset",
    )
    reuse_steps: bool = _setting(
        True, _flag, "take the finished run of a project's step whose code, parameters and inputs are the same"
    )
    keep_untracked: bool = _setting(
        True, _flag, "keep files that git does not track with the uncommitted changes of a project's code"
    )
    progress: bool = _setting(True, _flag, "show progress bars in a terminal")
    host: str = _setting("127.0.0.1", _text, "address that servers listen on", mlflow="MLFLOW_HOST")
    port: int = _setting(5000, _port, "port that servers listen on, 0 for any free one", mlflow="MLFLOW_PORT")
    origins: Mapping[str, Origin] = field(factory=dict, eq=False, repr=False)

    @classmethod
    def load(
        cls,
        arguments: Mapping[str, object] | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        directory: Path | None = None,
    ) -> Settings:
        """Gather the settings.

        arguments: by name; None values count as not given.
        environ: the process's environment by default.
        directory: where the search for a project file starts; the working directory by default.
        Raises SettingsError: an unknown name or unusable value; names its origin and what was expected.
        """
        given = {k: v for k, v in (arguments or {}).items() if v is not None}
        _refuse_unknown(given, "argument")
        variables = os.environ if environ is None else environ
        from_file = _read_file(directory or Path.cwd())
        values: dict[str, object] = {}
        origins: dict[str, Origin] = {}
        for name, spec in _specs().items():
            for raw, origin in _candidates(name, spec, given, variables, from_file):
                values[name] = _parsed(name, spec, raw, origin)
                origins[name] = origin
                break
            else:
                origins[name] = Origin("default")
        return attrs.evolve(cls(**values), origins=origins)  # type: ignore[arg-type]  # parsed by each field's own parser

    @staticmethod
    def seen_in(environ: Mapping[str, str]) -> tuple[str | None, ...]:
        """Return what `load` would take from *environ*, so that a caller can tell whether it has changed."""
        return tuple(environ.get(variable) for variable in _variables())

    def explain(self) -> tuple[Explained, ...]:
        """Tell each setting's value and origin, passwords masked."""
        return tuple(
            Explained(
                name, _shown(getattr(self, name)), self.origins.get(name, Origin("default")), spec.metadata["about"]
            )
            for name, spec in _specs().items()
        )


@functools.cache
def _specs() -> dict[str, attrs.Attribute[object]]:
    return {a.name: a for a in attrs.fields(Settings) if "parse" in a.metadata}


@functools.cache
def _variables() -> tuple[str, ...]:
    return tuple(v for name, spec in _specs().items() for v in (_own(name), spec.metadata["mlflow"]) if v)


def _own(name: str) -> str:
    return f"MLCORE_{name.upper()}"


def _shown(value: object) -> str:
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, tuple):
        return ", ".join(redacted(v) for v in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{k}={v}" for k, v in value.items())
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _candidates(
    name: str,
    spec: attrs.Attribute[object],
    given: Mapping[str, object],
    variables: Mapping[str, str],
    from_file: tuple[Path | None, Mapping[str, object]],
) -> list[tuple[object, Origin]]:
    found: list[tuple[object, Origin]] = []
    if name in given:
        found.append((given[name], Origin("argument")))
    for variable in (_own(name), spec.metadata["mlflow"]):
        # An empty variable counts as unset, as in MLflow and most shells' habits.
        if variable and variables.get(variable):
            found.append((variables[variable], Origin("environment", variable)))
    path, table = from_file
    if name in table:
        if not spec.metadata["from_file"]:
            # trust_models, model_public_key: who can put a file into a checkout must not be able to switch the protection off;
            # run_id: a file holds for every process, so all of them would write into one run
            raise SettingsError(f"setting {name!r} cannot come from a file ({path}): set {_own(name)} instead")
        value = table[name]
        if spec.metadata["parse"] is _place and isinstance(value, str) and path is not None:
            value = anchored(value, path.parent)
        found.append((value, Origin("file", f"{path}: {name}")))
    return found


def _parsed(name: str, spec: attrs.Attribute[object], raw: object, origin: Origin) -> object:
    try:
        return spec.metadata["parse"](raw)
    except TypeError as err:
        shown = redacted(raw) if isinstance(raw, str) else raw
        raise SettingsError(f"setting {name!r} ({origin}) has the value {shown!r}, expected {err}") from err


def _refuse_unknown(names: Mapping[str, object], place: str) -> None:
    unknown = [name for name in names if name not in _specs()]
    if unknown:
        import difflib

        near = difflib.get_close_matches(unknown[0], _specs(), n=1, cutoff=0.5)
        hint = f", did you mean {near[0]!r}?" if near else f"; known are {', '.join(_specs())}"
        raise SettingsError(f"unknown setting {unknown[0]!r} ({place}){hint}")


def _read_file(directory: Path) -> tuple[Path | None, Mapping[str, object]]:
    for folder in (directory, *directory.parents):
        for name in FILES:
            path = folder / name
            if not path.is_file():
                continue
            table = _table(path)
            if table is not None:
                _refuse_unknown(table, f"file {path}")
                return path, table
    return None, {}


def _table(path: Path) -> Mapping[str, object] | None:
    import tomllib

    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        if path.name != FILES[0]:
            return None  # somebody else's broken pyproject.toml is not ours to report
        raise SettingsError(f"settings file {path} is not valid TOML: {err}") from err
    if path.name == FILES[0]:
        return document
    table = document.get("tool", {}).get("mlcore")
    return table if isinstance(table, dict) else None
