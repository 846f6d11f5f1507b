"""What a model says of itself, for pages: its files are looked at, and nothing of it is loaded."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import closing

from attrs import frozen

from mlcore.errors import ArtifactNotFoundError, InvalidParameterError, MlcoreError, ModelFormatError
from mlcore.models.mlmodel import FILE, MLModel, parse
from mlcore.models.schema import ModelSignature
from mlcore.uris import relative_path
from mlcore.wire.plain import to_plain
from mlcore.wire.tracking_json import Json
from mlcore.wire.yaml_text import load_yaml
from mlcore_server.files.spots import Spot
from mlcore_server.files.walking import Listing, listed

MANIFEST, SIGNED = "mlcore_manifest.json", "model.sig"
_REQUIREMENTS, _PYTHON = "requirements.txt", "python_env.yaml"
_MOST_MODEL = 1 << 20
_MOST_TEXT = 64 << 10
_MOST_YAML = 256 << 10
_MOST_VALUES = 5000
_MOST_CHARACTERS = 2000
_MOST_PROBLEMS = 20


@frozen
class Folder:
    """A model's directory, with what is in it: sizes by path below it, null for what has none."""

    spot: Spot
    sizes: Mapping[str, int | None]
    is_complete: bool

    def text(self, name: str, most: int = _MOST_TEXT) -> str | None:
        """Return the beginning of a text file; None when there is none."""
        if name not in self.sizes:
            return None
        path = f"{self.spot.path}/{name}" if self.spot.path else name
        try:
            with closing(self.spot.repo.read(path)) as file:
                return file.read(most).decode("utf-8", "replace")
        except ArtifactNotFoundError:
            return None


def describe(spot: Spot) -> Json:
    """Return what the model in the directory *spot* says of itself.

    Raises ArtifactNotFoundError: there is no model.
    """
    folder = _folder(spot)
    if FILE not in folder.sizes:
        raise ArtifactNotFoundError(f"no model at {spot.asked[:200]!r}: expected a directory with the file {FILE}")
    problems: list[str] = []
    model = _model(folder, problems)
    sizes = [size for size in folder.sizes.values() if size is not None]
    problems += _differences(folder)
    return {
        "flavors": [{"name": name, "config": _Shown().of(model.flavors[name])} for name in sorted(model.flavors)],
        "signature": signature_out(model.signature) if model.signature else None,
        "requirements": _requirements(folder),
        "python_version": _python(model, folder),
        "size_bytes": sum(sizes) if folder.is_complete else model.model_size_bytes,
        "run_id": model.run_id,
        "model_id": model.model_id,
        "created": model.utc_time_created,
        "input_example": _example(model, folder, problems),
        "metadata": _Shown().of(model.metadata) if model.metadata is not None else None,
        "loader": _text(model.pyfunc.get("loader_module")),
        "files": len(folder.sizes),
        "manifest": MANIFEST in folder.sizes,
        "signed": SIGNED in folder.sizes,
        "problems": problems[:_MOST_PROBLEMS],
    }


def yaml_value(spot: Spot) -> Json:
    """Return what a YAML file says, as plain values, or why that cannot be told.

    Raises ArtifactNotFoundError: there is no such file.
    """
    with closing(spot.repo.read(spot.path)) as file:
        body = file.read(_MOST_YAML + 1)
    if len(body) > _MOST_YAML:
        return {"value": None, "truncated": False, "problem": f"it has more than {_MOST_YAML} bytes"}
    shown = _Shown()
    try:
        value = shown.of(load_yaml(body.decode("utf-8", "replace"), "the file"))
    except InvalidParameterError as err:
        return {"value": None, "truncated": False, "problem": err.message}
    except RecursionError:
        return {"value": None, "truncated": False, "problem": "it refers to itself"}
    return {"value": value, "truncated": shown.is_cut, "problem": ""}


def signature_out(signature: ModelSignature) -> Json:
    """Return a signature with its columns, tensors and params as lists; None for what it does not tell."""
    parts = {"inputs": signature.inputs, "outputs": signature.outputs, "params": signature.params}
    return {name: None if part is None else _Shown().of(part.to_dict()) for name, part in parts.items()}


class _Shown:
    """Plain values as JSON can hold them, not too many: YAML's aliases make much of little."""

    def __init__(self) -> None:
        self._left = _MOST_VALUES
        self.is_cut = False

    def of(self, value: object) -> object:
        self._left -= 1
        if self._left <= 0:
            self.is_cut = True
            return "…"
        if isinstance(value, str):
            return value if len(value) <= _MOST_CHARACTERS else value[:_MOST_CHARACTERS] + "…"
        if isinstance(value, Mapping):
            return {str(self.of(str(k))): self.of(v) for k, v in value.items() if self._left > 0}
        if isinstance(value, (list, tuple)):
            return [self.of(v) for v in value if self._left > 0]
        if isinstance(value, int) and not isinstance(value, bool) and not -(2**53) <= value <= 2**53:
            return f"{value:#x}" if value.bit_length() > 1000 else str(value)
        return to_plain(value) if value is None or isinstance(value, (bool, int, float)) else str(to_plain(value))


def _folder(spot: Spot) -> Folder:
    sizes: dict[str, int | None] = {}
    page = Listing((), "")
    while True:
        page = listed(spot.repo, spot.path, page.next_page_token, recursive=True)
        cut = len(spot.path) + 1 if spot.path else 0
        sizes |= {info.path[cut:]: info.file_size for info in page.files if not info.is_dir}
        if not page.next_page_token or len(sizes) >= 10_000:
            return Folder(spot, sizes, page.is_complete and not page.next_page_token)


def _model(folder: Folder, problems: list[str]) -> MLModel:
    text = folder.text(FILE, _MOST_MODEL + 1) or ""
    if len(text) > _MOST_MODEL:
        problems.append(f"{FILE} has more than {_MOST_MODEL} bytes")
        return MLModel(flavors={})
    try:
        return parse(text, FILE)
    except ModelFormatError as err:
        problems.append(err.message)
        return MLModel(flavors={})


def _requirements(folder: Folder) -> list[str]:
    lines = (line.strip() for line in (folder.text(_REQUIREMENTS) or "").splitlines())
    return [line[:_MOST_CHARACTERS] for line in lines if line and not line.startswith("#")][:1000]


def _python(model: MLModel, folder: Folder) -> str | None:
    told = _text(model.pyfunc.get("python_version"))
    if told:
        return told
    try:
        document = load_yaml(folder.text(_PYTHON) or "", _PYTHON)
    except (MlcoreError, RecursionError):
        return None
    return _text(document.get("python")) if isinstance(document, Mapping) else None


def _example(model: MLModel, folder: Folder, problems: list[str]) -> str | None:
    info = model.saved_input_example_info
    if not info:
        return None
    try:
        path = relative_path(str(info.get("artifact_path", "input_example.json")))
    except MlcoreError:
        problems.append(f"the input example lies outside of the model: {str(info.get('artifact_path'))[:200]!r}")
        return None
    text = folder.text(path)
    if text is None:
        problems.append(f"the input example {path[:200]!r} is missing")
    return text


def _differences(folder: Folder) -> list[str]:
    """Compare names and sizes with the manifest; checksums would need all of the files."""
    if MANIFEST not in folder.sizes or not folder.is_complete:
        return []
    try:
        files = json.loads(folder.text(MANIFEST, 4 << 20) or "")["files"]
        told = {str(name): entry.get("size_bytes") for name, entry in files.items()}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return [f"{MANIFEST} cannot be read"]
    here = {name: size for name, size in folder.sizes.items() if name not in (MANIFEST, SIGNED)}
    found = [f"{name!r} is listed in the manifest and missing" for name in sorted(told.keys() - here.keys())]
    found += [f"{name!r} is not listed in the manifest" for name in sorted(here.keys() - told.keys())]
    for name in sorted(told.keys() & here.keys()):
        if told[name] != here[name]:
            found.append(f"{name!r} has {here[name]} bytes, the manifest says {_text(told[name])}")
    return [re.sub(r"\s+", " ", text)[:500] for text in found]


def _text(value: object) -> str | None:
    return None if value is None else str(value)[:_MOST_CHARACTERS]
