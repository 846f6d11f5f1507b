"""The models that one server serves, each by a name of its own; a model can be replaced while it is in use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from attrs import define, frozen

from mlcore.errors import InvalidParameterError, NotFoundError
from mlcore.serving.scorer import ModelScorer, Scorer

if TYPE_CHECKING:
    from mlcore.models.pyfunc import PyFuncModel
    from mlcore.models.schema import ModelSignature


@frozen
class About:
    """What is told of a model.

    uri: what was asked for. version: of the registered model, or the model's own id; empty when it has none.
    """

    uri: str = ""
    version: str = ""
    flavors: tuple[str, ...] = ()
    signature: ModelSignature | None = None
    example: object = None


@define
class Served:
    """One model: scorer and description change together when it is replaced.

    Requests that are being answered go on with the scorer that they began with.
    """

    name: str
    scorer: Scorer
    about: About = About()
    index: int = 0

    def replace(self, scorer: Scorer, about: About) -> None:
        """Answer the following requests with another version."""
        self.scorer, self.about = scorer, about


class ServedModels:
    """The models of a server; the first one answers `/invocations`."""

    def __init__(self, models: Sequence[Served]) -> None:
        """Serve *models*. Raises InvalidParameterError: two have one name."""
        self._by_name: dict[str, Served] = {}
        for index, model in enumerate(models):
            if model.name in self._by_name:
                raise InvalidParameterError(f"two models are to be served as {model.name!r}: give one another name")
            model.index = index
            self._by_name[model.name] = model
        self.first: Served = next(iter(self._by_name.values()))

    def __iter__(self) -> Iterator[Served]:
        return iter(self._by_name.values())

    def named(self, name: str) -> Served:
        """Return a model by its name. Raises NotFoundError: names those that are served."""
        found = self._by_name.get(name)
        if found is None:
            raise NotFoundError(f"no model {name!r} is served here: there are {', '.join(map(repr, self._by_name))}")
        return found


def served(model: PyFuncModel, name: str = "model", version: str = "") -> Served:
    """Return what serves a loaded model."""
    return Served(name, ModelScorer(model), about(model, version))


def about(model: PyFuncModel, version: str = "") -> About:
    """Return what is told of a loaded model."""
    info = model.model_info
    return About(info.model_uri, version or info.model_uuid or "", tuple(info.flavors), info.signature)
