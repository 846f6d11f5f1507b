"""Reading and writing the file MLmodel."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlcore.errors import ModelFormatError
from mlcore.models.mlmodel import MLModel, new_model, parse, text_field
from mlcore.models.schema import ColSpec, ModelSignature, Schema
from mlcore.wire.yaml_text import load_yaml

MLFLOW_3 = """\
flavors:
  python_function:
    env: {conda: conda.yaml, virtualenv: python_env.yaml}
    loader_module: mlflow.sklearn
    model_path: model.skops
    predict_fn: predict
    python_version: 3.11.7
  sklearn: {code: null, pickled_model: model.skops, serialization_format: skops, sklearn_version: 1.9.1, skops_trusted_types: null}
is_signature_from_type_hint: false
metadata: {team: x}
mlflow_version: 3.17.2
model_id: null
model_size_bytes: 7062
model_uuid: 9a221b756ec94c04943bf88dc50e5cbd
prompts: null
saved_input_example_info: {artifact_path: input_example.json, pandas_orient: split, type: dataframe}
signature:
  inputs: '[{"type": "double", "name": "a", "required": true}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1]}}]'
  params: null
type_hint_from_example: false
utc_time_created: '2026-11-21 06:20:00.674575'
"""
MLFLOW_1 = """\
artifact_path: model
flavors:
  python_function: {env: conda.yaml, loader_module: mlflow.sklearn, model_path: model.pkl, python_version: 3.8.18}
  sklearn: {pickled_model: model.pkl, serialization_format: cloudpickle, sklearn_version: 0.24.2}
run_id: 0123456789abcdef0123456789abcdef
utc_time_created: 2020-12-24 18:00:00.5
"""


@pytest.mark.parametrize("text", [MLFLOW_3, MLFLOW_1])
def test_a_file_of_mlflow_survives_reading_and_writing(text: str) -> None:
    model = parse(text, "MLmodel")

    again = load_yaml(model.to_yaml(), "again")

    before = load_yaml(text, "before")
    assert isinstance(before, dict)
    before["utc_time_created"] = str(before["utc_time_created"])
    if "signature" in before:
        assert again["signature"]["inputs"] == before["signature"]["inputs"]
    assert again == before


def test_the_parts_of_a_file_are_read() -> None:
    model = parse(MLFLOW_3, "MLmodel")

    assert model.pyfunc["predict_fn"] == "predict"
    assert model.signature is not None
    assert model.signature.inputs == Schema([ColSpec("double", "a")])
    assert model.metadata == {"team": "x"}
    assert model.other["is_signature_from_type_hint"] is False


def test_a_new_model_is_written_and_read_back(tmp_path: Path) -> None:
    model = new_model({"python_function": {"loader_module": "x"}}, "0.1.0")
    model.write(tmp_path)

    assert MLModel.read(tmp_path) == model
    assert MLModel.read(tmp_path / "MLmodel") == model


def test_a_directory_without_a_model_is_told() -> None:
    with pytest.raises(ModelFormatError, match=r"no model at '.*nothing': expected a directory with the file MLmodel"):
        MLModel.read(Path("nothing"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "/x/MLmodel is not valid YAML in line 2, column 1"),
        ("- a", "/x/MLmodel must hold a mapping with the key `flavors`, got list"),
        ("a: 1", "field `flavors` of /x/MLmodel is missing"),
        ("flavors: 3", "field `flavors` of /x/MLmodel must be a mapping, got 3"),
        ("flavors: {sklearn: [1]}", "field `flavors.sklearn` of /x/MLmodel must be a mapping, got [1]"),
        ("flavors: {}\nrun_id: [1]", "field `run_id` of /x/MLmodel must be a string, got [1]"),
        (
            "flavors: {}\nmodel_size_bytes: big",
            "field `model_size_bytes` of /x/MLmodel must be a number of bytes, got 'big'",
        ),
        (
            "flavors: {}\nsignature: {inputs: '[1]'}",
            "field `signature.inputs[0]` must be a JSON object, got 1 (in /x/MLmodel)",
        ),
        ("flavors: !!python/object/apply:os.system ['true']", "/x/MLmodel is not valid YAML"),
    ],
)
def test_an_unreadable_file_is_told_with_the_path_into_it(text: str, message: str) -> None:
    with pytest.raises(ModelFormatError) as raised:
        parse(text, "/x/MLmodel")

    assert message in str(raised.value)


def test_a_field_of_a_flavor_is_told_with_its_path() -> None:
    with pytest.raises(
        ModelFormatError, match=r"field `flavors.sklearn.pickled_model` of /x/MLmodel must be a string, got 3"
    ):
        text_field({"pickled_model": 3}, "flavors.sklearn.pickled_model", "/x/MLmodel")


def test_a_file_that_explodes_through_its_aliases_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]

    with pytest.raises(ModelFormatError, match="holds more than 500000 values once its aliases are followed"):
        parse("\n".join([*lines, "flavors: {}"]), "MLmodel")


def test_a_file_of_many_levels_is_refused() -> None:
    with pytest.raises(ModelFormatError, match="is nested"):
        parse("flavors: " + "[" * 3000 + "]" * 3000, "MLmodel")


@pytest.mark.parametrize("opening", ["{", "[", "- ", "? "])
def test_a_file_of_so_many_levels_that_the_parser_would_crash_is_refused(opening: str) -> None:
    with pytest.raises(ModelFormatError, match="MLmodel is nested more than 100 levels deep"):
        parse(opening * 200_000, "MLmodel")


def test_a_signature_is_written_as_json_texts(tmp_path: Path) -> None:
    model = MLModel(flavors={}, signature=ModelSignature(Schema([ColSpec("long", "n")])))

    model.write(tmp_path)

    assert """inputs: '[{"type": "long", "name": "n", "required": true}]'""" in (tmp_path / "MLmodel").read_text()
