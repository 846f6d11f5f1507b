"""Files of skops, which hold the parts of an object by name and no code; for flavors that depend on skops."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import BadZipFile

from mlcore.errors import InvalidParameterError, MissingDependencyError, ModelFormatError


def dump_skops(model: object, path: Path) -> list[str]:
    """Write *model*; return the types and functions in the file that skops itself does not know as harmless.

    Raises InvalidParameterError: skops can't write it.
    """
    import skops.io
    from skops.io.exceptions import UnsupportedTypeException

    try:
        skops.io.dump(model, path)
    except UnsupportedTypeException as err:
        raise InvalidParameterError(
            f"skops can't save this {type(model).__name__}: {err}. Save it with serialization_format='cloudpickle'; "
            "whoever loads it then has to trust it"
        ) from err
    unlisted = unlisted_types(path)
    _refuse_nameless(unlisted)
    return unlisted


def unlisted_types(path: Path) -> list[str]:
    """Return the types and functions in a file beyond those that skops itself knows as harmless; nothing is loaded.

    Raises ModelFormatError: it is no file of skops. MissingDependencyError: skops is missing.
    """
    with skops_reading(path):
        import skops.io

        return list(skops.io.get_untrusted_types(file=path))


@contextmanager
def skops_reading(path: Path) -> Iterator[None]:
    """Turn what skops raises over the file at *path* into errors that name it; to look at a file, and not to load it.

    Raises ModelFormatError: it is no file of skops. MissingDependencyError: skops is missing.
    """
    try:
        yield
    except ImportError as err:
        raise MissingDependencyError(f"{path.name} needs skops: pip install skops") from err
    except (BadZipFile, LookupError, RecursionError, TypeError, ValueError) as err:
        raise ModelFormatError(
            f"{path.name} is not a skops file, or a broken one: {type(err).__name__}: {err}"
        ) from err


def load_skops(path: Path) -> object:
    """Load an object; to be called when the kernel has settled trust in the types that the file needs."""
    unlisted = unlisted_types(path)
    import skops.io

    loaded: object = skops.io.load(path, trusted=unlisted)
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
