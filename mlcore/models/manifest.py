"""Checksums of a model's files, written when it is saved and checked when it is loaded."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from attrs import frozen

from mlcore.errors import ChecksumError, InvalidParameterError
from mlcore.uris import relative_path

FILE = "mlcore_manifest.json"
SIGNATURE_FILE = "model.sig"
CHANGED, MISSING, EXTRA = "changed", "missing", "extra"
_CHUNK = 1 << 20
# they come after the manifest: it cannot list itself, and the signature is made of what it lists
_UNLISTED = {FILE, SIGNATURE_FILE}


@frozen
class Difference:
    """A file that is not as the manifest says.

    state: `changed`, `missing`, or `extra` for one that the manifest does not list.
    """

    path: str
    state: str


def write_manifest(directory: Path) -> None:
    """Write the checksums of all files below *directory* into its manifest."""
    files = {}
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        if path.is_file() and name not in _UNLISTED:
            files[name] = {"sha256": _sha256(path), "size_bytes": path.stat().st_size}
    text = json.dumps({"version": 1, "files": files}, indent=1)
    (directory / FILE).write_text(text + "\n", "utf-8")


def verify_manifest(directory: Path) -> None:
    """Check every file that the manifest lists; a model without a manifest passes.

    Raises ChecksumError: a file differs or is missing, or the manifest itself is broken; names the file.
    """
    manifest = directory / FILE
    if not manifest.is_file():
        return
    for name, sha256 in _listed(manifest):
        path = directory / name
        if not path.is_file():
            raise ChecksumError(
                f"the model at {str(directory)!r} is incomplete: {name!r} is listed in {FILE} but missing"
            )
        found = _sha256(path)
        if found != sha256:
            raise ChecksumError(
                f"file {name!r} of the model at {str(directory)!r} was changed after it was saved: sha256 is {found}, "
                f"{FILE} says {sha256}. Fetch the model again; if the change is meant, delete {FILE}"
            )


def differences(directory: Path) -> tuple[Difference, ...]:
    """Compare all files below *directory* with its manifest; all are there and as listed when this is empty.

    Raises ChecksumError: the manifest itself is missing or broken.
    """
    manifest = directory / FILE
    if not manifest.is_file():
        raise ChecksumError(
            f"the model at {str(directory)!r} has no {FILE}: it was not saved by mlcore, or the file was removed"
        )
    listed = dict(_listed(manifest))
    present = {path.relative_to(directory).as_posix() for path in directory.rglob("*") if not path.is_dir()}
    found = [Difference(name, EXTRA) for name in present - set(listed) - _UNLISTED]
    for name, sha256 in listed.items():
        if not (directory / name).is_file():
            found.append(Difference(name, MISSING))
        elif _sha256(directory / name) != sha256:
            found.append(Difference(name, CHANGED))
    return tuple(sorted(found, key=lambda each: each.path))


def _listed(manifest: Path) -> list[tuple[str, str]]:
    try:
        files = json.loads(manifest.read_text("utf-8"))["files"]
        return [(relative_path(name), str(entry["sha256"])) for name, entry in files.items()]
    except (ValueError, LookupError, TypeError, AttributeError, InvalidParameterError) as err:
        raise ChecksumError(
            f"{str(manifest)!r} is not a manifest of checksums ({type(err).__name__}: {err}). Fetch the model again"
        ) from err


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
