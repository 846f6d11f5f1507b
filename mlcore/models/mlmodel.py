"""The file `MLmodel`: what a model directory says of itself, readable and writable across MLflow 1.x to 3.x."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from pathlib import Path

import attrs
from attrs import field, frozen

from mlcore.errors import InvalidParameterError, ModelFormatError
from mlcore.models.schema import ModelSignature, ParamSchema, Schema
from mlcore.wire.plain import to_plain
from mlcore.wire.yaml_text import dump_yaml, load_yaml

FILE = "MLmodel"
PYFUNC = "python_function"
_MAX_BYTES = 16 << 20
_MAX_NODES = 500_000
_MAX_DEPTH = 100
_TEXTS = ("artifact_path", "run_id", "model_id", "model_uuid", "utc_time_created", "mlflow_version", "mlcore_version")
_MAPS = ("flavors", "signature", "saved_input_example_info", "metadata")


@frozen(kw_only=True)
class MLModel:
    """The content of `MLmodel`.

    flavors: by name; `python_function` is the one that every model has.
    utc_time_created: `YYYY-MM-DD HH:MM:SS.ffffff`, UTC.
    other: keys that this version does not know; they are written back as they were.
    """

    flavors: Mapping[str, Mapping[str, object]]
    utc_time_created: str | None = None
    artifact_path: str | None = None
    run_id: str | None = None
    model_id: str | None = None
    model_uuid: str | None = None
    mlflow_version: str | None = None
    mlcore_version: str | None = None
    model_size_bytes: int | None = None
    signature: ModelSignature | None = None
    saved_input_example_info: Mapping[str, object] | None = None
    metadata: Mapping[str, object] | None = None
    other: Mapping[str, object] = field(factory=dict)

    @property
    def pyfunc(self) -> Mapping[str, object]:
        """The `python_function` section; empty when there is none."""
        return self.flavors.get(PYFUNC, {})

    @property
    def resources(self) -> object:
        """What the model asks while it serves; see `mlcore.models.resources`. None when nothing is told."""
        return self.other.get("resources")

    def get_input_schema(self) -> Schema | None:
        """Return the input schema; None when there is none."""
        return self.signature.inputs if self.signature else None

    def get_output_schema(self) -> Schema | None:
        """Return the output schema; None when there is none."""
        return self.signature.outputs if self.signature else None

    def get_params_schema(self) -> ParamSchema | None:
        """Return the schema of params; None when there is none."""
        return self.signature.params if self.signature else None

    def to_dict(self) -> dict[str, object]:
        """Return the plain values that the file holds."""
        document: dict[str, object] = {**self.other, "flavors": to_plain(self.flavors)}
        for name in (*_TEXTS, "model_size_bytes", "saved_input_example_info", "metadata"):
            value = getattr(self, name)
            if value is not None:
                document[name] = to_plain(value)
        if self.signature is not None:
            document["signature"] = self.signature.to_dict()
        return document

    def to_yaml(self) -> str:
        """Return the text of the file."""
        return dump_yaml(self.to_dict())

    def write(self, directory: Path) -> None:
        """Write the file into *directory*."""
        (directory / FILE).write_text(self.to_yaml(), "utf-8")

    @classmethod
    def read(cls, path: Path) -> MLModel:
        """Read the file of a model directory (or the file itself).

        Raises ModelFormatError: there is none, or it cannot be read; names the path into the document.
        """
        file = path if path.name == FILE and not path.is_dir() else path / FILE
        return parse(_text(file), str(file))


def new_model(flavors: Mapping[str, Mapping[str, object]], version: str) -> MLModel:
    """Describe a model that is made now by mlcore *version*."""
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    return MLModel(
        flavors=flavors,
        utc_time_created=now.isoformat(" ", "microseconds"),
        model_uuid=uuid.uuid4().hex,
        mlcore_version=version,
    )


def parse(text: str, name: str) -> MLModel:
    """Read the text of an MLmodel file; *name* is its path, for messages.

    Raises ModelFormatError: not YAML, or a field of the wrong type; names the path into the document.
    """
    try:
        document = load_yaml(text, name)
    except InvalidParameterError as err:
        raise ModelFormatError(str(err)) from err
    except RecursionError as err:
        raise ModelFormatError(f"{name} is nested too deep to be read") from err
    _refuse_bombs(document, name)
    if not isinstance(document, Mapping):
        raise ModelFormatError(f"{name} must hold a mapping with the key `flavors`, got {type(document).__name__}")
    fields = {n: _as_text(document[n], n, name) for n in _TEXTS if document.get(n) is not None}
    maps = {n: _as_map(document[n], n, name) for n in _MAPS if document.get(n) is not None}
    if "flavors" not in maps:
        raise ModelFormatError(f"field `flavors` of {name} is missing: expected a mapping of flavor names")
    size = document.get("model_size_bytes")
    if size is not None and (not isinstance(size, int) or isinstance(size, bool)):
        raise ModelFormatError(f"field `model_size_bytes` of {name} must be a number of bytes, got {size!r}")
    known = {*_TEXTS, *_MAPS, "model_size_bytes"}
    return MLModel(
        flavors={n: _as_map(section, f"flavors.{n}", name) for n, section in maps["flavors"].items()},
        signature=_signature(maps.get("signature"), name),
        saved_input_example_info=maps.get("saved_input_example_info"),
        metadata=maps.get("metadata"),
        model_size_bytes=size,
        # keys that stand there with null are kept: some readers look for them
        other={str(k): v for k, v in document.items() if k not in known or v is None},
        **fields,
    )


def text_field(section: Mapping[str, object], path: str, file: str) -> str:
    """Return a text of a flavor's section; the last part of *path* is its key.

    Raises ModelFormatError: it is missing or not a text; names path and file.
    """
    value = section.get(path.rpartition(".")[2])
    if not isinstance(value, str):
        raise ModelFormatError(f"field `{path}` of {file} must be a string, got {value!r}")
    return value


def relocated(model: MLModel, **changes: object) -> MLModel:
    """Return *model* with some of its fields changed."""
    return attrs.evolve(model, **changes)  # type: ignore[arg-type]  # attrs cannot type changes by name


def _signature(document: Mapping[str, object] | None, name: str) -> ModelSignature | None:
    if document is None:
        return None
    try:
        return ModelSignature.from_dict(document)
    except ModelFormatError as err:
        raise ModelFormatError(f"{err} (in {name})") from err


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise ModelFormatError(f"{file} has {file.stat().st_size} bytes, at most {_MAX_BYTES} are read")
        return file.read_text("utf-8")
    except (FileNotFoundError, NotADirectoryError) as err:
        raise ModelFormatError(f"no model at {str(file.parent)!r}: expected a directory with the file {FILE}") from err
    except (OSError, UnicodeDecodeError) as err:
        raise ModelFormatError(f"{file} cannot be read: {err}") from err


def _as_text(value: object, path: str, name: str) -> str:
    if isinstance(value, dt.datetime):  # YAML reads an unquoted time as one
        return value.replace(tzinfo=None).isoformat(" ", "microseconds")
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):  # an id or version of digits, unquoted
        return str(value)
    raise ModelFormatError(f"field `{path}` of {name} must be a string, got {value!r}")


def _as_map(value: object, path: str, name: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise ModelFormatError(f"field `{path}` of {name} must be a mapping, got {value!r}")
    return {str(k): v for k, v in value.items()}


def _refuse_bombs(document: object, name: str) -> None:
    """Refuse a document that is small on disk and huge once its aliases are followed."""
    seen = 0
    todo = [(document, 0)]
    while todo:
        value, depth = todo.pop()
        seen += 1
        if seen > _MAX_NODES:
            raise ModelFormatError(f"{name} holds more than {_MAX_NODES} values once its aliases are followed")
        if depth > _MAX_DEPTH:
            raise ModelFormatError(f"{name} is nested more than {_MAX_DEPTH} levels deep")
        inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, set)) else ()
        todo += [(v, depth + 1) for v in inside]
