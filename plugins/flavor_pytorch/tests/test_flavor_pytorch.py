"""PyTorch models: what is saved, what is loaded without trust, and what is not."""

from __future__ import annotations

import builtins
import importlib.util
import io
import json
import pickle
import re
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from mlcore_flavor_pytorch import program
from mlcore_flavor_pytorch.flavor import PytorchFlavor

import mlcore
from mlcore import pyfunc
from mlcore.errors import InvalidParameterError, ModelFormatError, UntrustedModelError
from mlcore.models import MLModel
from mlcore.models.manifest import write_manifest

if TYPE_CHECKING:
    import torch

Require = Callable[[str, bool, str], None]
HAS_TORCH = importlib.util.find_spec("torch") is not None
ROWS = np.array([[0.0, 1.0, 2.0], [1.0, 1.0, 1.0], [2.0, 0.0, 1.0]])


@pytest.fixture(scope="module")
def net(require: Require) -> torch.nn.Module:
    """Return a module in training mode whose dropout would show."""
    require("torch", HAS_TORCH, "make torch")
    import torch

    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Dropout(0.5), torch.nn.Linear(4, 2))


@pytest.fixture(scope="module")
def saved(net: torch.nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of the module, saved with an example."""
    where = tmp_path_factory.mktemp("pytorch") / "m"
    mlcore.pytorch.save_model(net, where, input_example=ROWS.astype(np.float32))
    return where


def answers(net: torch.nn.Module) -> list[list[float]]:
    import torch

    net.eval()
    found = net(torch.tensor(ROWS, dtype=torch.float32)).tolist()
    net.train()
    return found


def test_a_module_with_an_example_is_a_program_that_needs_no_trust(net: torch.nn.Module, saved: Path) -> None:
    loaded = pyfunc.load_model(saved)

    assert loaded.predict(ROWS.astype(np.float32)).tolist() == answers(net)
    assert net.training
    assert sorted(path.name for path in (saved / "data").iterdir()) == ["model.pt2"]
    assert loaded.metadata.signature.inputs.input_types() == [np.dtype("float32")]


def test_any_number_of_rows_is_predicted_even_if_the_example_had_one(net: torch.nn.Module) -> None:
    mlcore.pytorch.save_model(net, "m", input_example=ROWS[:1].astype(np.float32))
    loaded = pyfunc.load_model("m")

    assert loaded.predict(ROWS[:1].astype(np.float32)).tolist() == pytest.approx(np.array(answers(net)[:1]))
    assert loaded.predict(np.tile(ROWS, (5, 1)).astype(np.float32)).shape == (15, 2)


def test_a_frame_is_predicted_as_a_frame_with_its_index(net: torch.nn.Module, saved: Path) -> None:
    flavor, model = PytorchFlavor(), MLModel.read(saved)
    predictor = flavor.predictor(saved, model.flavors["pytorch"], model.pyfunc)
    frame = pd.DataFrame(ROWS, index=["a", "b", "c"])

    found = predictor.predict(frame, {})

    assert isinstance(found, pd.DataFrame)
    assert list(found.index) == ["a", "b", "c"]
    assert np.allclose(found.to_numpy(), answers(net))


def test_inputs_and_outputs_by_name(require: Require) -> None:
    require("torch", HAS_TORCH, "make torch")
    import torch

    class Two(torch.nn.Module):
        def forward(self, left: torch.Tensor, right: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"sum": left + right, "last": right[:, -1]}

    data = {"left": ROWS.astype(np.float32), "right": np.ones((3, 3), dtype=np.float32)}
    mlcore.log_model(Two(), name="m", input_example=data)

    found = pyfunc.load_model(f"runs:/{mlcore.active_run().info.run_id}/m").predict(data)

    assert found["sum"].tolist() == (ROWS + 1).tolist()
    assert found["last"].tolist() == [1.0, 1.0, 1.0]


def test_a_state_dict_is_safetensors_and_comes_back_as_it_was(net: torch.nn.Module) -> None:
    mlcore.pytorch.save_model(net.state_dict(), "m")

    loaded = mlcore.pytorch.load_model("m")

    assert {k: v.tolist() for k, v in loaded.items()} == {k: v.tolist() for k, v in net.state_dict().items()}
    assert [path.name for path in Path("m/data").iterdir()] == ["model.safetensors"]
    with pytest.raises(ModelFormatError, match="holds the weights of a module and not the module, so it can't predict"):
        pyfunc.load_model("m")


def test_a_module_without_an_example_names_both_ways(net: torch.nn.Module) -> None:
    with pytest.raises(
        InvalidParameterError, match=r"give input_example=.* or save it with serialization_format='pickle'"
    ):
        mlcore.pytorch.save_model(net, "m")


def test_a_module_that_cannot_be_exported_names_the_other_way(require: Require) -> None:
    require("torch", HAS_TORCH, "make torch")
    import torch

    class Branching(torch.nn.Module):
        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return rows if float(rows.sum()) > 0 else -rows

    with pytest.raises(
        InvalidParameterError, match=r"(?s)can't export this Branching: .*serialization_format='pickle'"
    ):
        mlcore.pytorch.save_model(Branching(), "m", input_example=ROWS)


def test_a_pickled_module_needs_trust(net: torch.nn.Module) -> None:
    mlcore.pytorch.save_model(net, "m", serialization_format="pickle")

    with pytest.raises(UntrustedModelError, match=r"data/model.pth is a pickle"):
        pyfunc.load_model("m")
    assert pyfunc.load_model("m", trust=True).predict(ROWS).tolist() == answers(net)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "pt2"}, "unknown option 'format' of flavor pytorch; known are serialization_format"),
        (
            {"serialization_format": "onnx"},
            "serialization_format 'onnx' does not fit a Sequential: expected pt2 or pickle",
        ),
    ],
)
def test_a_wrong_option_is_named(net: torch.nn.Module, options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        mlcore.pytorch.save_model(net, "m", **options)


def test_input_of_another_width_is_refused_by_the_signature(saved: Path) -> None:
    with pytest.raises(InvalidParameterError, match="shape"):
        pyfunc.load_model(saved).predict(np.ones((2, 5), dtype=np.float32))


def test_without_pytorch_the_pip_line_is_named_and_metadata_are_read(saved: Path) -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from mlcore import pyfunc\n"
        "from mlcore.models import MLModel\n"
        f"print(MLModel.read(__import__('pathlib').Path({str(saved)!r})).signature.inputs)\n"
        f"pyfunc.load_model({str(saved)!r})\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert "float32" in done.stdout
    assert "models of flavor pytorch need torch: pip install torch" in done.stderr


def changed(saved: Path, where: Path, edit: Callable[[dict[str, bytes]], None]) -> Path:
    """Return a copy of the model whose archive is changed, and whose manifest knows of it."""
    target = where / "data" / "model.pt2"
    target.parent.mkdir(parents=True)
    (where / "MLmodel").write_bytes((saved / "MLmodel").read_bytes())
    with zipfile.ZipFile(saved / "data" / "model.pt2") as archive:
        files = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    edit(files)
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    write_manifest(where)
    return where


def _graph(change: Callable[[dict[str, object]], object]) -> Callable[[dict[str, bytes]], None]:
    def edit(files: dict[str, bytes]) -> None:
        document = json.loads(files["model/models/model.json"])
        change(document)
        files["model/models/model.json"] = json.dumps(document).encode()

    return edit


def _node(document: dict[str, object]) -> dict[str, object]:
    return document["graph_module"]["graph"]["nodes"][0]  # type: ignore[index]  # JSON


def _checkpoint(value: object) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(value, 2))
    return buffer.getvalue()


def _set(files: dict[str, bytes], name: str, content: bytes) -> None:
    files[name] = content


EXPRESSION = {"as_expr": {"expr_str": "__import__('os').system('x')", "hint": None}}
EDITS: dict[str, tuple[Callable[[dict[str, bytes]], None], str]] = {
    "a function of another library": (_graph(lambda d: _node(d).update(target="torch.hub.load")), "'torch.hub.load'"),
    "an operator that reads files": (
        _graph(lambda d: _node(d).update(target="torch.ops.aten.from_file.default")),
        "'torch.ops.aten.from_file.default'",
    ),
    "a custom operator": (_graph(lambda d: _node(d).update(target="torch.ops.mine.op.default")), "'torch.ops.mine.op"),
    "an expression": (_graph(lambda d: d.update(extra=EXPRESSION)), "the expression"),
    "a condition that calls": (_graph(lambda d: d.update(guards_code=["L['x'].exit()"])), "the condition"),
    "a name that is code": (_graph(lambda d: _node(d).update(name="x): import os #")), "the text 'x): import os #'"),
    "a container of another library": (
        _graph(lambda d: d.update(in_spec='[1, {"type": "mine.Type", "children_spec": []}]')),
        "values of 'mine.Type'",
    ),
    "a pickle that calls": (
        lambda files: _set(files, "model/data/sample_inputs/model.pt", _checkpoint(builtins.eval)),
        "a pickle that calls __builtin__.eval",
    ),
    "a pickled weight": (
        lambda files: _set(
            files,
            "model/data/weights/model_weights_config.json",
            json.dumps({"config": {"w": {"path_name": "weight_0", "use_pickle": True}}}).encode(),
        ),
        "pickled values in data/weights/model_weights_config.json",
    ),
    "a compiled library": (
        lambda files: _set(files, "model/data/aotinductor/model/x.so", b"\x7fELF"),
        "the file 'data/aotinductor/model/x.so'",
    ),
}


@pytest.mark.parametrize("what", EDITS)
def test_a_program_that_holds_more_than_operators_needs_trust(saved: Path, tmp_path: Path, what: str) -> None:
    edit, told = EDITS[what]
    where = changed(saved, tmp_path / "changed", edit)

    with pytest.raises(UntrustedModelError, match=re.escape(told)):
        pyfunc.load_model(where)


def test_a_program_that_is_only_written_anew_needs_none(net: torch.nn.Module, saved: Path, tmp_path: Path) -> None:
    where = changed(saved, tmp_path / "changed", lambda files: None)

    assert program.code_in(where / "data" / "model.pt2") is None


def test_layers_of_all_kinds_are_plain_programs(require: Require) -> None:
    require("torch", HAS_TORCH, "make torch")
    import torch

    class Many(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.MaxPool2d(2))
            self.attend = torch.nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
            self.words = torch.nn.Embedding(10, 4)
            self.register_buffer("scale", torch.ones(1))

        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            seen = self.conv(pictures).flatten(2).transpose(1, 2)
            found = self.attend(seen)[:, 0] * self.scale + self.words((seen > 0).long()).sum((1, 2))
            return torch.nn.functional.gelu(found, approximate="tanh").softmax(-1)

    net, pictures = Many(), np.random.default_rng(0).normal(size=(3, 1, 8, 8)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlcore.pytorch.save_model(net, "m", input_example=pictures)

    found = pyfunc.load_model("m").predict(pictures[:2])

    expected = net.eval()(torch.tensor(pictures[:2])).detach().numpy()
    assert np.allclose(found, expected, atol=1e-6)


def test_the_file_says_what_mlflow_says(saved: Path) -> None:
    import torch

    model = MLModel.read(saved)

    expected: Mapping[str, object] = {
        "model_data": "data",
        "pytorch_version": str(torch.__version__),
        "serialization_format": "pt2",
        "code": None,
    }
    assert model.flavors["pytorch"] == expected
    assert model.pyfunc["loader_module"] == "mlflow.pytorch"
    assert model.pyfunc["data"] == "data"
    lines = (saved / "requirements.txt").read_text().split()
    assert [line.partition("==")[0] for line in lines] == ["mlcore-kernel", "mlcore-flavor-pytorch", "numpy", "torch"]
