"""Files of skops, which hold the parts of an object by name and no code; for flavors that depend on skops."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from mlcore.errors import InvalidParameterError, MissingDependencyError, ModelFormatError
from mlcore.models.skops_lists import skops_io, trusting_of

# what reading raises over files that are cut short, crafted or encrypted
_BROKEN = (AttributeError, BadZipFile, EOFError, LookupError, RuntimeError, TypeError, ValueError, zlib.error)
_NAMED_BY = (("__module__", "__class__"), ("module_path", "function"))  # the second by the first protocol of skops


def dump_skops(model: object, path: Path) -> list[str]:
    """Write *model*; return the types and functions in the file that skops itself does not know as harmless.

    Raises InvalidParameterError: skops can't write it.
    """
    io = skops_io()
    from skops.io.exceptions import UnsupportedTypeException

    try:
        io.dump(model, path)
    except UnsupportedTypeException as err:
        raise InvalidParameterError(
            f"skops can't save this {type(model).__name__}: {err}. Save it with serialization_format='cloudpickle'; "
            "whoever loads it then has to trust it"
        ) from err
    unlisted = unlisted_types(path)
    _refuse_nameless(unlisted)
    return unlisted


def names_in(path: Path) -> set[str]:
    """Return the types and functions in a file, as `module.name`; nothing is loaded, and skops is not needed.

    Raises what reading an archive and JSON raises.
    """
    found: set[str] = set()

    def note(node: dict[str, object]) -> dict[str, object]:
        for keys in _NAMED_BY:
            module, name = map(node.get, keys)
            if isinstance(module, str) and isinstance(name, str):
                found.add(f"{module}.{name}")
        return node

    with ZipFile(path) as archive:
        json.loads(archive.read("schema.json"), object_hook=note)
    return found


def unlisted_types(path: Path) -> list[str]:
    """Return the types and functions in a file beyond those that skops itself knows as harmless; nothing is loaded.

    Raises ModelFormatError: it is no file of skops. MissingDependencyError: skops is missing.
    """
    with _reading(path), trusting_of(names_in(path)) as io:
        return list(io.get_untrusted_types(file=path))


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn what skops raises over the file at *path* into errors that name it; to look at a file, and not to load it."""
    try:
        yield
    except ImportError as err:
        raise MissingDependencyError(f"{path.name} needs skops: pip install skops") from err
    except _BROKEN as err:
        raise ModelFormatError(
            f"{path.name} is not a skops file, or a broken one: {type(err).__name__}: {err}"
        ) from err


def load_skops(path: Path) -> object:
    """Load an object; to be called when the kernel has settled trust in the types that the file needs.

    Raises what `unlisted_types` raises, and what making the object raises.
    """
    with _reading(path):
        names = names_in(path)
    unlisted = unlisted_types(path)
    with trusting_of(names) as io:
        loaded: object = io.load(path, trusted=unlisted)
        return loaded


def foreign_types(path: Path, foreign: Iterable[str], library: str) -> str | None:
    """Say, as `Flavor.code_in` does, which types in the file need somebody's trust; None when there are none."""
    names = list(foreign)
    if not names:
        return None
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""  # bounded message
    return f"{path.name} holds types and functions that {library} does not answer for: {', '.join(names[:5])}{more}"


def _refuse_nameless(names: Iterable[str]) -> None:
    """Refuse lambdas and inner functions: skops writes their names only, by which nobody finds them again."""
    nameless = [name for name in names if "<" in name]
    if nameless:
        raise InvalidParameterError(
            f"skops can't save {nameless[0]!r}, which has no name that it could be loaded by: define it at the top of a "
            "module and save that along with code_paths=[...], or save the model with serialization_format='cloudpickle'; "
            "whoever loads it then has to trust it"
        )
