"""Take URIs of runs and models apart, and find the place that they name.

The text forms are MLflow's: `runs:/<run id>/<path>`, `models:/<name>/<version>`, `models:/<name>/<stage>`,
`models:/<name>/latest`, `models:/<name>@<alias>` and `models:/<model id>`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from attrs import frozen

from mlcore.errors import InvalidParameterError
from mlcore.uris import redacted, relative_path, scheme

_MAX_HOPS = 8
_RUNS_FORM = "expected 'runs:/<run id>/<path>', such as 'runs:/0123abcd/model'"
_MODELS_FORM = (
    "expected 'models:/<name>/<version>', 'models:/<name>/<stage>', 'models:/<name>/latest', "
    "'models:/<name>@<alias>' or 'models:/<model id>'"
)


@frozen
class RunPath:
    """A path below a run's artifact root; an empty path is the root."""

    run_id: str
    path: str = ""


@frozen
class ModelVersionName:
    """One version of a registered model; *version* is decimal without leading zeros."""

    name: str
    version: str


@frozen
class ModelStageName:
    """The newest version of a registered model in a stage, as the user spelled it (any case)."""

    name: str
    stage: str


@frozen
class ModelAliasName:
    """The version that an alias of a registered model points to."""

    name: str
    alias: str


@frozen
class ModelLatestName:
    """The highest version of a registered model, in whatever stage."""

    name: str


@frozen
class LoggedModelName:
    """A model by its own id, registered or not."""

    model_id: str


ModelName = ModelVersionName | ModelStageName | ModelAliasName | ModelLatestName | LoggedModelName


@frozen
class Location:
    """A place that a plugin can open, and a path below it; an empty path is the place itself."""

    root_uri: str
    path: str = ""

    @property
    def name(self) -> str:
        """The last part of the path or URI: what a download of it is called; `artifacts` when there is none."""
        if self.path:
            return PurePosixPath(self.path).name
        local = scheme(self.root_uri) == "file"
        path = urlsplit(self.root_uri).path if ":" in self.root_uri else self.root_uri
        last = PurePosixPath(unquote(path) if local and ":" in self.root_uri else path).name
        return last if last not in ("", "..") else "artifacts"


def parse_runs_uri(uri: str) -> RunPath:
    """Split `runs:/<run id>/<path>`.

    Raises InvalidParameterError: another form, a profile (`runs://profile@host/...`), or an unsafe path.
    """
    run_id, _, path = _after_scheme(uri, "runs", _RUNS_FORM).partition("/")
    if not run_id:
        raise InvalidParameterError(f"not a proper runs:/ URI: {redacted(uri)!r} has no run id; {_RUNS_FORM}")
    if relative_path(run_id) != run_id:
        raise InvalidParameterError(f"not a proper runs:/ URI: {redacted(uri)!r} has no usable run id; {_RUNS_FORM}")
    return RunPath(run_id, relative_path(path))


def parse_models_uri(uri: str) -> ModelName:
    """Split a `models:/` URI into what it names.

    Raises InvalidParameterError: none of the known forms, or a profile (`models://profile@host/...`).
    """
    rest = _after_scheme(uri, "models", _MODELS_FORM)
    name, *more = rest.split("/")
    if not rest or not name or len(more) > 1 or more == [""]:
        raise InvalidParameterError(f"not a proper models:/ URI: {redacted(uri)!r}; {_MODELS_FORM}")
    if more:
        return _version_or_stage(name, more[0])
    model, at, alias = name.rpartition("@")
    if not at:
        return LoggedModelName(name)
    if not model or not alias:
        missing = "name before" if not model else "alias after"
        raise InvalidParameterError(
            f"not a proper models:/ URI: {redacted(uri)!r} has no {missing} '@'; {_MODELS_FORM}"
        )
    return ModelAliasName(model, alias)


def locate(
    uri: str, *, run_root: Callable[[str], str], model_source: Callable[[ModelName], str] | None = None
) -> Location:
    """Find the place that *uri* names, following `runs:/` and `models:/` to a URI that a plugin opens.

    run_root: returns the artifact URI of a run id; its NotFoundError passes.
    model_source: returns where the files of a model version are; may be a `runs:/` or `models:/` URI again.
    Raises InvalidParameterError: malformed, `models:/` without *model_source*, or names that go round in circles.
    """
    shown, path = uri, ""
    for _ in range(_MAX_HOPS):
        kind = scheme(uri)
        if kind == "runs":
            named = parse_runs_uri(uri)
            uri, path = run_root(named.run_id), "/".join(filter(None, (named.path, path)))
        elif kind == "models":
            if model_source is None:
                raise InvalidParameterError(
                    f"URI {redacted(shown)!r} names a registered model, which cannot be looked up here; "
                    "give the URI of its files"
                )
            uri = model_source(parse_models_uri(uri))
        else:
            return Location(uri, path)
    raise InvalidParameterError(
        f"URI {redacted(shown)!r} leads round in circles: {_MAX_HOPS} look-ups ended at {redacted(uri)!r}; "
        "correct the model version's source"
    )


def _version_or_stage(name: str, last: str) -> ModelName:
    if last.isascii() and last.isdigit():
        return ModelVersionName(name, str(int(last)))
    return ModelLatestName(name) if last.lower() == "latest" else ModelStageName(name, last)


def _after_scheme(uri: str, kind: str, form: str) -> str:
    """Return what stands after `kind:/`; both `kind:/x` and `kind:///x` have no host."""
    word, colon, rest = uri.partition(":")
    if not colon or word.lower() != kind:
        raise InvalidParameterError(f"not a {kind}:/ URI: {redacted(uri)!r}; {form}")
    if rest.startswith("//") and not rest.startswith("///"):
        raise InvalidParameterError(
            f"not a proper {kind}:/ URI: {redacted(uri)!r} names a profile or host, which is not supported: "
            f"set the tracking URI instead; {form}"
        )
    if not rest.startswith("/"):
        raise InvalidParameterError(f"not a proper {kind}:/ URI: {redacted(uri)!r} has no slash after {kind}:; {form}")
    return rest.lstrip("/") if rest.startswith("///") else rest[1:]
