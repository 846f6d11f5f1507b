"""List what loading a model would run, without running any of it. The pickles are read by picklescan."""

from __future__ import annotations

import bz2
import gzip
import logging
import lzma
import pickletools
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike, fspath
from pathlib import Path
from types import ModuleType
from typing import BinaryIO, cast

from attrs import frozen

from mlcore.errors import MissingDependencyError, MlcoreError, ModelFormatError
from mlcore.models.environment import CONDA_FILE, PYTHON_ENV_FILE, REQUIREMENTS_FILE
from mlcore.models.example import FILE as EXAMPLE_FILE
from mlcore.models.example import SERVING_FILE
from mlcore.models.flavors import Chosen, native_flavor, predicting_flavor
from mlcore.models.manifest import FILE as MANIFEST_FILE
from mlcore.models.manifest import SIGNATURE_FILE
from mlcore.models.mlmodel import FILE, PYFUNC, MLModel
from mlcore.models.places import fetched
from mlcore.models.skops_files import names_in, unlisted_types
from mlcore.plugins import Plugins

DANGEROUS, SUSPICIOUS, INNOCUOUS = LEVELS = ("dangerous", "suspicious", "innocuous")

_INSTALL = "pip install 'mlcore-kernel[scan]'"
# read as text by the kernel, unless a flavor's section names them as its own
_TEXTS = {FILE, MANIFEST_FILE, SIGNATURE_FILE, CONDA_FILE, PYTHON_ENV_FILE, REQUIREMENTS_FILE, EXAMPLE_FILE}
_TEXTS |= {SERVING_FILE}
_RUNNING = {"GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "REDUCE", "BUILD", "EXT1", "EXT2", "EXT4"}
_DECOMPRESSED: Mapping[bytes, Callable[..., object]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}
_CLOSED = {
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"\x78\x01": "zlib",
    b"\x78\x5e": "zlib",
    b"\x78\x9c": "zlib",
    b"\x78\xda": "zlib",
    b"\x04\x22\x4d\x18": "lz4",
    b"\x28\xb5\x2f\xfd": "zstd",
}
# what readers of damaged and of crafted files raise
_UNREADABLE = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OSError,
    EOFError,
    RuntimeError,
    ArithmeticError,
    MemoryError,
    zipfile.BadZipFile,
    lzma.LZMAError,
    zlib.error,
)


@frozen
class Find:
    """One thing that loading a model imports, calls or runs.

    file: path inside of the model. what: `os.system` of a pickle or archive, or a sentence.
    level: `dangerous`, known to run commands or code; `suspicious`, not known; `innocuous`, known to hold data only.
    """

    file: str
    what: str
    level: str


@frozen
class ScannedFile:
    """A file that was looked into.

    opcodes: how often each opcode that imports or calls something is in its pickles.
    """

    path: str
    size_bytes: int
    opcodes: Mapping[str, int]


@frozen
class ScanReport:
    """What loading a model would run.

    runs: what its flavors say of code that loading runs; empty when they say that there is none.
    finds: the most dangerous first.
    """

    model_uri: str
    runs: tuple[str, ...]
    finds: tuple[Find, ...]
    files: tuple[ScannedFile, ...]

    @property
    def level(self) -> str:
        """The worst level of all finds; `innocuous` when there is none."""
        return self.finds[0].level if self.finds else INNOCUOUS


def scan(model_uri: str | PathLike[str], *, plugins: Plugins | None = None) -> ScanReport:
    """List what the model at *model_uri* would import, call and run when it is loaded; nothing of it is loaded.

    model_uri: any model URI, or the path of a file.
    Raises MissingDependencyError: picklescan is not installed. ArtifactNotFoundError, ModelFormatError: nothing is there.
    """
    scanner = _scanner()
    with fetched(model_uri) as root:
        runs, named = _told(root, plugins)
        finds: list[Find] = []
        files: list[ScannedFile] = []
        with _quiet():
            for path, name in _files(root):
                if name in _TEXTS - named:
                    continue
                finds += _finds(scanner, path, name)
                files.append(ScannedFile(name, path.stat().st_size, _opcodes(path)))
    finds.sort(key=lambda find: (LEVELS.index(find.level), find.file, find.what))
    return ScanReport(fspath(model_uri), runs, tuple(finds), tuple(files))


def _files(root: Path) -> Iterator[tuple[Path, str]]:
    if root.is_file():
        yield root, root.name
        return
    for path in sorted(root.rglob("*")):
        if path.is_file():
            yield path, path.relative_to(root).as_posix()


def _told(root: Path, plugins: Plugins | None) -> tuple[tuple[str, ...], set[str]]:
    """What the flavors say of the model's code, and the texts in their sections, which may be names of files."""
    if not (root / FILE).is_file():
        return (), set()
    model = MLModel.read(root)
    runs: dict[str, None] = {}
    for name, section in model.flavors.items():
        if code := section.get("code"):
            runs[f"the directory {code!r} is put on sys.path"] = None
        try:
            chosen = _chosen(model, root, name, plugins)
            reason = chosen.flavor.code_in(root, chosen.config)
        except MlcoreError as err:
            reason = f"flavor {name!r} can't be asked: {err.message}"
        if reason:
            runs[reason] = None
    named = {value for section in model.flavors.values() for value in section.values() if isinstance(value, str)}
    return tuple(runs), named


def _chosen(model: MLModel, root: Path, name: str, plugins: Plugins | None) -> Chosen:
    from mlcore.models.loading import current_plugins

    found = plugins or current_plugins()
    return predicting_flavor(model, root, found) if name == PYFUNC else native_flavor(model, root, name, found)


def _finds(scanner: ModuleType, path: Path, name: str) -> Iterator[Find]:
    suffix = path.suffix.lower()
    if suffix == ".py":
        yield Find(name, "Python source, run when something imports it", SUSPICIOUS)
        return
    with path.open("rb") as file:
        start = file.read(8)
    closed = next((name for magic, name in _CLOSED.items() if start.startswith(magic)), None)
    if closed is not None:
        yield Find(name, f"packed by {closed}, which is not looked into", SUSPICIOUS)
    if closed is not None or not start:
        return
    try:
        with _opened(path) as file:
            result = scanner.scan_bytes(file, name, suffix)
    except ImportError as err:  # of numpy, which reads the heads of arrays
        raise MissingDependencyError(f"scanning {name!r} needs {err.name}: {_INSTALL}") from err
    except _UNREADABLE as err:
        yield Find(name, f"can't be read by the scanner, as a crafted file ({type(err).__name__}: {err})", DANGEROUS)
        return
    for found in {(g.module, g.name): g for g in result.globals}.values():
        # bytes that are no pickle may look like one for a while; no import could find such a module
        if "unknown" in found.module or all(part.isidentifier() for part in found.module.split(".")):
            yield Find(name, f"{found.module}.{found.name}", found.safety.value)
    if zipfile.is_zipfile(path):
        yield from _typed(path, name)


def _opened(path: Path) -> BinaryIO:
    """Open a file for reading, and what compressed it along with it."""
    with path.open("rb") as file:
        start = file.read(8)
    opener = next((opener for magic, opener in _DECOMPRESSED.items() if start.startswith(magic)), None)
    return path.open("rb") if opener is None else cast(BinaryIO, opener(path))


def _typed(path: Path, name: str) -> Iterator[Find]:
    """What an archive of skops would make objects of; skops says which of them it does not trust."""
    try:
        with zipfile.ZipFile(path) as archive:
            if "schema.json" not in archive.namelist():
                return
        types = sorted(names_in(path))
        untrusted = _untrusted(path)
    except (*_UNREADABLE, ModelFormatError) as err:
        yield Find(name, f"schema.json can't be read ({type(err).__name__}: {err})", DANGEROUS)
        return
    for each in types:
        yield Find(name, each, INNOCUOUS if untrusted is not None and each not in untrusted else SUSPICIOUS)


def _untrusted(path: Path) -> set[str] | None:
    try:
        return set(unlisted_types(path))
    except MissingDependencyError:
        return None


def _opcodes(path: Path) -> dict[str, int]:
    counts: Counter[str] = Counter()
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for member in archive.namelist():
                    if member.endswith((".pkl", ".pickle")):
                        with archive.open(member) as inner:
                            _count(cast(BinaryIO, inner), counts)
        else:
            with _opened(path) as file:
                _count(file, counts)
    except _UNREADABLE:
        pass  # counted up to there
    return dict(sorted(counts.items()))


def _count(file: BinaryIO, counts: Counter[str]) -> None:
    while file.read(1):
        file.seek(-1, 1)
        for opcode, _, _ in pickletools.genops(file):
            if opcode.name in _RUNNING:
                counts[opcode.name] += 1


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library from saying on standard error what the report holds."""
    logger = logging.getLogger("picklescan")
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before


def _scanner() -> ModuleType:
    try:
        import picklescan.scanner
    except ImportError as err:
        raise MissingDependencyError(f"scanning a model needs picklescan: {_INSTALL}") from err
    found: ModuleType = picklescan.scanner
    return found
