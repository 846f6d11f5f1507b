"""What is wrong with data, gathered and said at once."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from mlcore.errors import SignatureError

_SHOWN = 20


class Misfit(ValueError):  # noqa: N818  # a signal between the checks of one value and its column, never seen outside
    """A value does not fit its type; the text says what was found, and where."""


class SignatureWarning(UserWarning):
    """Data was accepted, but a part of it is ignored."""


def shown(value: object) -> str:
    """Return *value* with its type, short enough for a message: `string 'x'`."""
    names = {
        "str": "string",
        "float": "double",
        "int": "long",
        "bool": "boolean",
        "NoneType": "null",
        "bytes": "binary",
    }
    kind = type(value).__name__
    text = repr(value)
    text = text if len(text) <= 60 else f"{text[:57]}..."
    return "null" if value is None else f"{names.get(kind, kind)} {text}"


def mismatch(faults: Sequence[str], takes: str) -> SignatureError:
    """Make the error that lists all *faults*; *takes* says what the model takes."""
    listed = "; ".join(faults[:_SHOWN]) + (f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else "")
    return SignatureError(f"the data does not fit the model's signature: {listed}. {takes}")


def warn(text: str) -> None:
    """Warn whoever called `predict`."""
    warnings.warn(text, SignatureWarning, stacklevel=3)
