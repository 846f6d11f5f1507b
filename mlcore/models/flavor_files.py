"""What every flavor does with its options, its files and its library, so that a flavor holds only what differs."""

from __future__ import annotations

import importlib
import pickle
import sys
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, cast

from mlcore.errors import InvalidParameterError, MissingDependencyError, MlcoreError, ModelFormatError, SignatureError
from mlcore.models.mlmodel import FILE
from mlcore.models.pickled import modules_in_pickle

if TYPE_CHECKING:
    import pandas as pd

# What readers of files raise over files that are cut short or not theirs.
_FAULTS = (
    pickle.UnpicklingError, ArithmeticError, AttributeError, EOFError, LookupError, OSError, RecursionError, RuntimeError,
    TypeError, ValueError,
)  # fmt: skip


class LibraryVersionWarning(UserWarning):
    """A model is loaded with another version of its library than it was saved with."""


def is_a(model: object, *names: str) -> bool:
    """Whether *model* is an instance of one of the classes called `module.Class`, none of which is imported for that."""
    for name in names:
        module, _, attribute = name.rpartition(".")
        cls = getattr(sys.modules.get(module), attribute, None)
        if isinstance(cls, type) and isinstance(model, cls):
            return True
    return False


def class_name(model: object) -> str:
    """Return `module.Class` of *model*, as `MLmodel` names classes."""
    return f"{type(model).__module__}.{type(model).__qualname__}"


def known_options(options: Mapping[str, object], known: Collection[str], flavor: str) -> dict[str, object]:
    """Return those *options* that were given. Raises InvalidParameterError: one is not among *known*."""
    given = {name: value for name, value in options.items() if value is not None}
    unknown = next((name for name in given if name not in known), None)
    if unknown is not None:
        listed = f"known are {', '.join(known)}" if known else "there are none"
        raise InvalidParameterError(f"unknown option {unknown!r} of flavor {flavor}; {listed}")
    return given


def one_of(options: Mapping[str, object], name: str, choices: Sequence[str]) -> str:
    """Return the option *name*, the first of *choices* by default. Raises InvalidParameterError: it is none of them."""
    chosen = options.get(name) or choices[0]
    if chosen not in choices:
        raise InvalidParameterError(f"unknown {name} {chosen!r}: expected one of {', '.join(choices)}")
    return str(chosen)


def model_file(directory: Path, config: Mapping[str, object], key: str, flavor: str) -> Path:
    """Return the model's file, or directory, that the flavor's section of `MLmodel` names under *key*.

    Raises ModelFormatError: it is named by no text, leads out of the model's directory, or is missing.
    """
    name = config.get(key)
    field = f"field `flavors.{flavor}.{key}` of {directory / FILE}"
    if not isinstance(name, str):
        raise ModelFormatError(f"{field} must be a string, got {name!r}")
    path = (directory / name).resolve()
    if not path.is_relative_to(directory.resolve()):
        raise ModelFormatError(f"{field} leads out of the model: {name!r}")
    if not path.exists():
        raise ModelFormatError(f"the model file {name!r} is missing in {directory}")
    return path


def library(module: str, flavor: str, install: str) -> ModuleType:
    """Import the flavor's library. Raises MissingDependencyError: names *install*, what pip is to be given."""
    try:
        return importlib.import_module(module)
    except ImportError as err:
        if err.name is not None and err.name.partition(".")[0] != module.partition(".")[0]:
            raise  # it is there, and lacks something else
        raise MissingDependencyError(
            f"models of flavor {flavor} need {module.partition('.')[0]}: pip install {install}"
        ) from err


def warn_of_other_version(name: str, saved: object, installed: str) -> None:
    """Warn when the library called *name* has another major or minor version than the model was *saved* with."""
    if isinstance(saved, str) and saved.split(".")[:2] != installed.split(".")[:2]:
        warnings.warn(
            f"the model was saved with {name} {saved} and is loaded with {installed}, which may fail or predict "
            f"differently: pip install {name}=={saved}",
            LibraryVersionWarning,
            stacklevel=5,
        )


@contextmanager
def reading(path: Path, saved_with: str) -> Iterator[None]:
    """Turn what a library raises over the file at *path* into errors that name it.

    saved_with: library and version, such as `xgboost 3.2.0`.
    Raises MissingDependencyError: a module is missing. ModelFormatError: the file can't be read.
    """
    try:
        yield
    except MlcoreError:
        raise
    except ImportError as err:
        raise MissingDependencyError(
            f"{path.name} needs a module that can't be imported: {err}. The model's requirements.txt lists what it was "
            "saved with; modules of your own are saved along with code_paths=[...]"
        ) from err
    except _FAULTS as err:
        said = next(iter(str(err).splitlines()), "")  # some append stacks of addresses
        raise ModelFormatError(
            f"{path.name} can't be loaded: {type(err).__name__}: {said[:500]}. It may be cut short, or made by another "
            f"version than those installed; it was saved with {saved_with}"
        ) from err


def dump_pickle(model: object, path: Path) -> frozenset[str]:
    """Write *model* by cloudpickle; return the modules that loading it needs."""
    import cloudpickle

    path.write_bytes(cloudpickle.dumps(model))
    return modules_in_pickle(path)


def load_pickle(path: Path) -> object:
    """Load a pickle; to be called inside `reading`, and by flavors alone, whose `code_in` told the kernel of the pickle."""
    with path.open("rb") as file:
        return pickle.load(file)  # noqa: S301  # the kernel asked code_in, and somebody trusts the source


def class_called(name: str) -> type:
    """Import the class `module.Class`, which `code_in` told the kernel of if it is not the library's own.

    Raises ModelFormatError: there is no such class. ImportError: no such module.
    """
    module, _, attribute = name.rpartition(".")
    found = getattr(importlib.import_module(module), attribute, None) if module else None
    if not isinstance(found, type):
        raise ModelFormatError(f"the model's class {name!r} is no class: expected its module and name")
    return found


def in_order(frame: pd.DataFrame, names: Sequence[str], *, blank: str = " ") -> pd.DataFrame:
    """Return the columns of *frame* that the model learnt, called *names*, in its order.

    Columns that are no texts go by their texts. blank: what the library writes for blanks in names.
    Raises SignatureError: columns are missing; lists them.
    """
    texts = (" ".join(map(str, c)) if isinstance(c, tuple) else str(c) for c in frame.columns)
    by_text = dict(zip((text.replace(" ", blank) for text in texts), frame.columns, strict=True))
    if list(by_text) == list(names):
        return frame
    missing = [name for name in names if name not in by_text]
    if missing:
        shown = ", ".join(map(repr, missing[:10])) + (f" and {len(missing) - 10} more" if len(missing) > 10 else "")
        raise SignatureError(
            f"columns are missing: {shown}; the model was trained on {len(names)} columns, got {[*by_text][:10]!r}"
        )
    return frame[[by_text[name] for name in names]]


def with_categories(frame: pd.DataFrame, places: Sequence[int]) -> pd.DataFrame:
    """Return *frame* with the columns at *places* as categories, which is how models of trees learnt them.

    Requests in JSON or CSV know no categories, so that texts and numbers stand in their place.
    """
    plain = [frame.columns[n] for n in places if type(frame.dtypes.iloc[n]).__name__ != "CategoricalDtype"]
    return frame.astype(dict.fromkeys(plain, "category")) if plain else frame


def is_frame(data: object) -> bool:
    """Whether *data* is a data frame of pandas, which is not imported for that."""
    return is_a(data, "pandas.DataFrame")


def as_frame(data: object) -> pd.DataFrame:
    """Return *data*, which `is_frame`, as one to type checkers."""
    return cast("pd.DataFrame", data)
