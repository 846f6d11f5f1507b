"""A model as the archive that SageMaker unpacks under `/opt/ml/model`: the same files give the same bytes."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from mlcore.errors import InvalidParameterError, ModelFormatError
from mlcore.models.manifest import verify_manifest
from mlcore.models.mlmodel import MLModel
from mlcore.models.places import fetched

PYFUNC = "python_function"
NAME = "model.tar.gz"


@frozen
class Archive:
    """A packed model.

    digest: SHA-256 of the archive, hexadecimal.
    """

    path: Path
    digest: str
    model_uri: str
    flavor: str


@contextmanager
def packed(model_uri: str, flavor: str | None) -> Iterator[Archive]:
    """Yield the model's archive, which is removed afterwards.

    flavor: what the container shall load; the model's `python_function` when None.
    Raises ModelFormatError, ArtifactNotFoundError: there is no model. InvalidParameterError: it lacks the flavor.
    ChecksumError: a file was changed after the model was saved.
    """
    with fetched(model_uri) as directory, tempfile.TemporaryDirectory(prefix="mlcore-sagemaker-") as temporary:
        chosen = flavor_of(directory, model_uri, flavor)
        verify_manifest(directory)
        path = Path(temporary) / NAME
        _pack(directory, path)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        yield Archive(path, digest, model_uri, chosen)


def flavor_of(directory: Path, model_uri: str, flavor: str | None) -> str:
    """Return the flavor to serve, after a look into the model's description."""
    if not (directory / "MLmodel").is_file():
        raise ModelFormatError(f"no model at {model_uri!r}: expected a directory with the file MLmodel")
    known = MLModel.read(directory).flavors
    chosen = flavor or PYFUNC
    if chosen not in known:
        raise InvalidParameterError(
            f"the model at {model_uri!r} has no flavor {chosen!r} to serve (it has: {', '.join(sorted(known)) or 'none'})"
        )
    return chosen


def _pack(directory: Path, path: Path) -> None:
    # no times, owners or modes of this machine: the digest stands for the content
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", 6, raw, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for file in sorted(directory.rglob("*")):
            if file.is_file():
                info = tarfile.TarInfo(file.relative_to(directory).as_posix())
                info.size = file.stat().st_size
                info.mode = 0o644
                with file.open("rb") as content:
                    tar.addfile(info, content)
