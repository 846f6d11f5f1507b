"""What a model asks while it serves, such as endpoints and indexes: the key `resources` of `MLmodel`, as MLflow writes it.

Whoever serves the model reads there what it has to be allowed to reach.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

from mlcore.errors import InvalidParameterError
from mlcore.wire.yaml_text import load_yaml

_VERSION = "1"


class Resource(Protocol):
    """One resource, as the classes of `mlflow.models.resources` describe it."""

    @property
    def target_uri(self) -> str:
        """Where it is, such as `databricks`."""

    def to_dict(self) -> Mapping[str, Sequence[Mapping[str, object]]]:
        """Return its kind and its members, such as `{"serving_endpoint": [{"name": "e"}]}`."""


# None, a list of resources, the mapping that MLmodel holds, or the path of a YAML file with it
Resources: TypeAlias = Sequence[Resource] | Mapping[str, object] | str | Path | None


def described(resources: Resources) -> dict[str, object] | None:
    """Return what `MLmodel` is to hold: `{"api_version": "1", place: {kind: [{"name": ...}]}}`; None for none.

    Raises InvalidParameterError: no such file, or something else than that.
    """
    if resources is None:
        return None
    if isinstance(resources, (str, Path)):
        if not Path(resources).is_file():
            raise InvalidParameterError(
                f"there is no file {str(resources)!r}: expected the path of a YAML file of resources"
            )
        return _checked(load_yaml(Path(resources).read_text("utf-8"), str(resources)), repr(str(resources)))
    if isinstance(resources, Mapping):
        return _checked(resources, "resources")
    places: dict[str, dict[str, list[Mapping[str, object]]]] = {}
    for resource in resources:
        if not hasattr(resource, "target_uri") or not hasattr(resource, "to_dict"):
            raise InvalidParameterError(
                f"invalid resource {resource!r}: expected one with target_uri and to_dict, as mlflow.models.resources has them"
            )
        kinds = places.setdefault(resource.target_uri, {})
        for kind, members in resource.to_dict().items():
            kinds.setdefault(kind, []).extend(members)
    return _checked(places, "resources")


def _checked(given: object, name: str) -> dict[str, object]:
    fault = InvalidParameterError(
        f"{name} must map places to kinds and kinds to lists of mappings with a name, such as "
        f"{{'databricks': {{'serving_endpoint': [{{'name': 'chat'}}]}}}}; got {str(given)[:200]}"
    )
    if not isinstance(given, Mapping):
        raise fault
    version = str(given.get("api_version", _VERSION))
    if version != _VERSION:
        raise InvalidParameterError(f"api_version of {name} must be {_VERSION!r}, got {version!r}")
    found: dict[str, object] = {"api_version": version}
    for place, kinds in given.items():
        if place == "api_version":
            continue
        if not isinstance(kinds, Mapping):
            raise fault
        for members in kinds.values():
            if not isinstance(members, list) or not all(
                isinstance(each, Mapping) and "name" in each for each in members
            ):
                raise fault
        found[str(place)] = {str(kind): [dict(each) for each in members] for kind, members in kinds.items()}
    return found
