"""Exported programs: `model.pt2` files of `torch.export`, which hold a graph of operators and its tensors.

`torch.export.load` runs more than operators if a file asks for it: pickles, compiled libraries, expressions. So the
archive is looked through first, without PyTorch, and whatever is not plain data is named.
"""

from __future__ import annotations

import json
import pickletools
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from mlcore.errors import InvalidParameterError, ModelFormatError
from mlcore.models.flavor_files import is_a

if TYPE_CHECKING:
    import torch

_FILES = re.compile(
    r"models/\w+\.json|data/(?:weights|constants)/(?:weight_\d+|tensor_\d+|\w+_config\.json)|data/sample_inputs/\w+\.pt"
    r"|archive_format|archive_version|byteorder|version|\.format_version|\.storage_alignment|\.data/(?:version|serialization_id)"
)
_CHECKPOINT = re.compile(
    r"data\.pkl|data/\d+|byteorder|version|\.format_version|\.storage_alignment|\.data/serialization_id"
)
_GLOBALS = re.compile(
    r"collections OrderedDict|torch\._utils (?:_rebuild_tensor_v2|_rebuild_parameter)|torch\._tensor _rebuild_from_type_v2"
    r"|torch (?:Tensor|\w+Storage|float\d+|bfloat16|u?int\d+|bool|Size|device)"
)
# those of PyTorch that read or write files are left out
_OPERATORS = re.compile(
    r"torch\.ops\.(?:aten|prims)\.(?!from_file\.|save\.)\w+\.\w+|torch\.sym_\w+|math\.(?:ceil|floor|trunc|sqrt)"
    r"|_operator\.(?:getitem|add|sub|mul|truediv|floordiv|mod|pow|neg|pos|abs|and_|or_|not_|eq|ne|lt|le|gt|ge)"
)
_PLAIN = re.compile(r"[\w.+\-]*")  # names become parts of the program's text
_EXPRESSION = re.compile(
    r"(?:'[a-z]+\d*'|\b(?:Symbol|Integer|Rational|Add|Mul|Pow|Mod|Max|Min|FloorDiv|CleanDiv|PythonMod|positive|integer"
    r"|nonnegative|True|False|[suz]\d+|\d+)\b|[\s=,()+*/-])*"
)
_GUARD = re.compile(
    r"(?:L(?:\['\w+'\]|\[\d+\])+(?:\.size\(\)\[\d+\])?|\d+|\b(?:and|or|not)\b|==|!=|<=|>=|//|[\s()<>+*%-])*"
)
_CONTAINERS = (None, "builtins.tuple", "builtins.list", "builtins.dict", "collections.OrderedDict")
_OPAQUE = ("as_operator", "as_custom_obj", "as_opaque", "as_graph")
_EXPORT_FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


class Module(Protocol):
    """What is used of a module of PyTorch, which is imported late."""

    training: bool

    def __call__(self, *args: object, **kwargs: object) -> object:
        """Run it."""

    def parameters(self) -> Iterator[torch.nn.Parameter]:
        """Iterate over its parameters."""

    def eval(self) -> object:
        """Switch to prediction."""

    def train(self, mode: bool) -> object:
        """Switch to training, or back."""

    def to(self, device: str) -> object:
        """Move it."""


def save(model: object, path: Path, example: object) -> None:
    """Write an exported program, or export a module with *example*, whose first dimension is left open.

    Raises InvalidParameterError: a module without an example, or one that can't be exported.
    """
    import torch

    program = model if is_a(model, "torch.export.ExportedProgram") else _exported(cast("Module", model), example)
    torch.export.save(cast("torch.export.ExportedProgram", program), path)


def load(path: Path) -> torch.export.ExportedProgram:
    """Load an exported program."""
    import torch

    try:
        return torch.export.load(path)
    except (AssertionError, zipfile.BadZipFile) as err:
        raise ModelFormatError(f"{path.name} can't be loaded: {str(err)[:500]}") from err


def code_in(path: Path) -> str | None:
    """Say what loading or calling the program would run beyond PyTorch's operators on tensors; None when nothing.

    Raises ModelFormatError: it is no archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            found = next(_strangers(archive, _FILES, _looked_at), None)
    except (zipfile.BadZipFile, EOFError, LookupError, NotImplementedError, RecursionError, ValueError) as err:
        raise ModelFormatError(
            f"{path.name} is not an exported program, or a broken one: {type(err).__name__}: {err}"
        ) from err
    return None if found is None else f"{path.name} holds {found}"


def _exported(model: Module, example: object) -> torch.export.ExportedProgram:
    import torch

    from mlcore_flavor_pytorch.predictor import as_tensor

    if example is None:
        raise InvalidParameterError(
            "a module is saved without code by exporting it, which takes an example: give input_example=..., two rows or "
            "more; or save it with serialization_format='pickle', and whoever loads it then has to trust it"
        )
    first = next(model.parameters(), None)
    floats = first.dtype if first is not None and first.is_floating_point() else None
    named = example if isinstance(example, Mapping) else {"": example}
    tensors = {str(name): _two_rows(as_tensor(value, floats)) for name, value in named.items()}
    rows = {name: {0: torch.export.Dim.DYNAMIC} if tensor.ndim else {} for name, tensor in tensors.items()}
    args, kwargs = ((), tensors) if isinstance(example, Mapping) else ((tensors[""],), {})
    was_training = model.training
    model.eval()
    try:
        return torch.export.export(
            cast("torch.nn.Module", model), args, kwargs, dynamic_shapes=rows if kwargs else tuple(rows.values())
        )
    except _EXPORT_FAULTS as err:
        raise InvalidParameterError(
            f"can't export this {type(model).__name__}: {str(err)[:1000]}. Save it with serialization_format='pickle'; "
            "whoever loads it then has to trust it"
        ) from err
    finally:
        model.train(was_training)


def _two_rows(tensor: torch.Tensor) -> torch.Tensor:
    """One row would be taken for the only number of rows there is."""
    return tensor.repeat(2, *[1] * (tensor.ndim - 1)) if tensor.ndim and tensor.shape[0] == 1 else tensor


def _strangers(
    archive: zipfile.ZipFile, known: re.Pattern[str], look: Callable[[str, bytes], Iterator[str]]
) -> Iterator[str]:
    names = archive.namelist()
    if len(set(names)) < len(names):
        yield "two files of one name"
    for entry in archive.infolist():
        name = entry.filename.partition("/")[2]
        if not known.fullmatch(name) or entry.compress_type != zipfile.ZIP_STORED:
            yield f"the file {name!r}, which is none of a plain program's"
        elif name.endswith((".json", ".pkl", ".pt")):
            yield from look(name, archive.read(entry))


def _looked_at(name: str, content: bytes) -> Iterator[str]:
    if name.endswith(".pt"):
        with zipfile.ZipFile(BytesIO(content)) as checkpoint:
            yield from _strangers(checkpoint, _CHECKPOINT, _in_pickle)
    elif name.startswith("models/"):
        yield from _in_graph("", json.loads(content))
    else:
        for entry in dict(json.loads(content)["config"]).values():
            if entry["use_pickle"] is not False or not re.fullmatch(r"(?:weight|tensor)_\d+", entry["path_name"]):
                yield f"pickled values in {name}"


def _in_pickle(name: str, content: bytes) -> Iterator[str]:
    if not name.endswith(".pkl"):
        return
    for opcode, argument, _ in pickletools.genops(content):
        if opcode.name in ("STACK_GLOBAL", "INST") or opcode.name.startswith("EXT"):
            yield f"a pickle that calls what {opcode.name} finds"
        elif opcode.name == "GLOBAL" and not _GLOBALS.fullmatch(str(argument)):
            yield f"a pickle that calls {str(argument).replace(' ', '.', 1)}"


def _in_graph(key: str, value: object) -> Iterator[str]:
    if key in _OPAQUE:
        yield f"an object that is no tensor ({key})"
    elif isinstance(value, dict):
        for name, inner in value.items():
            if not (_PLAIN.fullmatch(name) or (key == "range_constraints" and _EXPRESSION.fullmatch(name))):
                yield f"the name {name[:100]!r}"
            if name != "metadata":  # what it was written from; nothing is called by it
                yield from _in_graph(name, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _in_graph(key, inner)
    elif isinstance(value, str):
        yield from _in_text(key, value)


def _in_text(key: str, value: str) -> Iterator[str]:
    if key == "target":
        if not _OPERATORS.fullmatch(value):
            yield f"a call of {value[:100]!r}, which is none of PyTorch's operators on tensors"
    elif key in ("in_spec", "out_spec"):
        yield from (f"values of {each!r}" for each in _types(json.loads(value)) if each not in _CONTAINERS)
    elif key == "expr_str":
        if not _EXPRESSION.fullmatch(value):
            yield f"the expression {value[:100]!r}"
    elif key == "guards_code":
        if not _GUARD.fullmatch(value):
            yield f"the condition {value[:100]!r}"
    elif key not in ("as_string", "as_strings") and not _PLAIN.fullmatch(value):
        yield f"the text {value[:100]!r}"


def _types(spec: object) -> Iterator[object]:
    if isinstance(spec, dict):
        yield spec.get("type")
        yield from _types(spec.get("children_spec"))
    elif isinstance(spec, list):
        for inner in spec:
            yield from _types(inner)
