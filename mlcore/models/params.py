"""Check the params of `predict` against their schema and fill in defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from mlcore.models.cells import convert_value
from mlcore.models.faults import Misfit, mismatch, warn
from mlcore.models.infer import is_missing
from mlcore.models.schema import ParamSchema, ParamSpec


class ParamValidator:
    """The params that a model knows."""

    def __init__(self, schema: ParamSchema | None) -> None:
        """Know the params; None for a model without any."""
        self._specs = {spec.name: spec for spec in schema or ()}
        self._defaults = {name: _default(spec) for name, spec in self._specs.items()}
        self._takes = f"The model takes the params {schema}"

    def enforce(self, given: Mapping[str, object] | None) -> dict[str, object]:
        """Return all params, defaults filled in.

        Unknown ones are dropped with a SignatureWarning.
        Raises SignatureError: a value of the wrong type; names each.
        """
        if not given:
            return dict(self._defaults)
        unknown = [name for name in given if name not in self._specs]
        if unknown:
            known = f"it knows {', '.join(map(repr, self._specs))}" if self._specs else "its signature has no params"
            warn(f"params {unknown!r} are ignored: the model does not know them, {known}")
        values = dict(self._defaults)
        faults: list[str] = []
        for name, spec in self._specs.items():
            if name in given:
                try:
                    values[name] = _convert(given[name], spec)
                except Misfit as err:
                    faults.append(f"param {name!r}: {err}")
        if faults:
            raise mismatch(faults, self._takes)
        return values


def _convert(value: object, spec: ParamSpec) -> object:
    plain = value.tolist() if hasattr(value, "tolist") else value
    if spec.shape is None:
        if is_missing(plain) and spec.default is not None and not isinstance(plain, float):
            raise Misfit(f"expected {spec.dtype}, got null")
        return convert_value(plain, spec.dtype)
    if plain is None and spec.default is None:
        return None
    if not isinstance(plain, (list, tuple)):
        raise Misfit(f"expected a list of {spec.dtype}, got {value!r}")
    return [convert_value(v, spec.dtype) for v in cast("Sequence[object]", plain)]


def _default(spec: ParamSpec) -> object:
    try:
        return None if spec.default is None else _convert(spec.default, spec)
    except Misfit:
        return spec.default  # what the writer of the model chose is not for its caller to mend
