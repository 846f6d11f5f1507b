"""Load the models that a server shall serve, and find out what their URIs mean now."""

from __future__ import annotations

import importlib
import importlib.util
import re

from attrs import evolve, frozen

from mlcore.artifacts.resolve import LoggedModelName, ModelVersionName, parse_models_uri
from mlcore.errors import InvalidParameterError
from mlcore.models.places import fetch
from mlcore.models.pyfunc import load_model
from mlcore.serving.batching import Batching, BatchingScorer
from mlcore.serving.reloading import Watched
from mlcore.serving.scorer import ModelScorer, Scorer
from mlcore.serving.served import About, Served, about
from mlcore.uris import scheme

_NAMED = re.compile(r"^([A-Za-z0-9][\w.\-]*)=(.+)$")


@frozen
class Wanted:
    """A model to serve.

    name: under which it is served. uri: what it is called. place: where the files are that are loaded at the start.
    version: of the registered model, as the URI meant at the start. trust: whether its code may run.
    """

    name: str
    uri: str
    place: str = ""
    version: str = ""
    trust: bool = False

    @property
    def moves(self) -> bool:
        """Whether the URI may mean another version later."""
        return scheme(self.uri) == "models" and not isinstance(
            parse_models_uri(self.uri), (ModelVersionName, LoggedModelName)
        )

    def at(self, uri: str, *, trust: bool) -> Wanted:
        """Return the same under its full URI."""
        return evolve(self, uri=uri, place=uri, trust=trust)


def wanted(given: str, *, several: bool) -> Wanted:
    """Take `NAME=URI` or `URI` apart; a single model is called `model` unless it has a name.

    Raises InvalidParameterError: several models are to be served and this one has no name.
    """
    found = _NAMED.match(given)
    if found:
        return Wanted(found[1], found[2])
    if scheme(given) == "models":
        named = parse_models_uri(given)
        return Wanted(named.model_id if isinstance(named, LoggedModelName) else named.name, given)
    if several:
        raise InvalidParameterError(
            f"several models are served, and {given!r} has no name: give it one, as name={given}"
        )
    return Wanted("model", given)


def pinned(one: Wanted, *, fetched: bool) -> Wanted:
    """Return the model with what its URI means now; *fetched* brings its files to this machine."""
    if scheme(one.uri) == "models" and not isinstance(parse_models_uri(one.uri), LoggedModelName):
        one = evolve(one, version=_meant(one), place=_place(one, _meant(one)))
    return evolve(one, place=str(fetch(one.place).path)) if fetched else one


def load(one: Wanted, batching: Batching | None) -> Served:
    """Load a model and return what serves it."""
    scorer, told = _loaded(one, one.place, one.version, batching)
    return Served(one.name, scorer, told)


def watched(served: Served, one: Wanted, batching: Batching | None) -> Watched:
    """Return how to see that the URI of a model has come to mean another version."""
    return Watched(served, lambda: _meant(one), lambda version: _loaded(one, _place(one, version), version, batching))


def _loaded(one: Wanted, place: str, version: str, batching: Batching | None) -> tuple[Scorer, About]:
    model = load_model(place, trust=one.trust)
    if model.validator.makes_frames and not model.takes_arrays and importlib.util.find_spec("pandas") is not None:
        importlib.import_module("pandas")  # now, and not while the first request waits
    scorer: Scorer = ModelScorer(model) if batching is None else BatchingScorer(model, batching)
    return scorer, evolve(about(model, version), uri=one.uri)


def _meant(one: Wanted) -> str:
    # a server of a local model starts without the registry
    from mlcore.registry.finding import find_version
    from mlcore.tracking.session import current_session

    return find_version(current_session().registry(), parse_models_uri(one.uri)).version


def _place(one: Wanted, version: str) -> str:
    named = parse_models_uri(one.uri)
    return one.uri if isinstance(named, LoggedModelName) else f"models:/{named.name}/{version}"
