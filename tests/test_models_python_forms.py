"""Python models in all forms: asynchronous, streaming, with type hints, and with resources."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pydantic
import pytest

from mlcore import pyfunc
from mlcore.errors import InvalidParameterError, MlcoreError, SignatureError, UnsupportedError
from mlcore.models import MLModel
from mlcore.models.awaiting import waited


class Person(pydantic.BaseModel):
    name: str
    age: int
    email: str | None = None


def saved(model: object, **options: object) -> pyfunc.PyFuncModel:
    pyfunc.save_model("m", python_model=model, **options)
    return pyfunc.load_model("m", trust=True)


class Awaiting(pyfunc.PythonModel):
    async def load_context(self, context):
        await asyncio.sleep(0)
        self.loop = asyncio.get_running_loop()

    async def predict(self, context, model_input, params=None):
        await asyncio.sleep(0)
        return [value + 1 for value in model_input], asyncio.get_running_loop() is self.loop


def test_an_asynchronous_predict_is_awaited_on_the_loop_that_the_model_was_loaded_on() -> None:
    loaded = saved(Awaiting())

    assert loaded.predict([1, 2]) == ([2, 3], True)
    assert loaded.predict([1, 2]) == ([2, 3], True)


def test_an_asynchronous_predict_is_awaited_inside_of_a_running_loop_too() -> None:
    loaded = saved(Awaiting())

    async def program() -> object:
        return loaded.predict([1])

    assert asyncio.run(program()) == ([2], True)


def test_an_asynchronous_function_is_a_model() -> None:
    async def twice(model_input, params=None):
        await asyncio.sleep(0)
        return [2 * value for value in model_input]

    assert saved(twice).predict([1, 2]) == [2, 4]


def test_what_an_asynchronous_model_raises_reaches_the_caller() -> None:
    async def fail(model_input):
        raise ZeroDivisionError("by zero")

    with pytest.raises(ZeroDivisionError, match="by zero"):
        saved(fail).predict([1])


def test_a_model_may_ask_another_asynchronous_model() -> None:
    async def inner() -> int:
        return 1

    async def outer() -> object:
        return waited(inner())

    assert waited(outer()) == 1


class Spelling(pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return list(model_input)

    def predict_stream(self, context, model_input, params=None):
        for letter in model_input:
            yield letter * (params or {}).get("times", 1)


class SpellingSlowly(pyfunc.PythonModel):
    def predict(self, model_input):
        return model_input

    async def predict_stream(self, model_input) -> AsyncIterator[str]:
        try:
            for letter in model_input:
                await asyncio.sleep(0)
                yield letter
        finally:
            closed.set()


closed = threading.Event()


def test_a_model_streams_and_its_file_says_so() -> None:
    loaded = saved(Spelling())

    assert list(loaded.predict_stream("abc")) == ["a", "b", "c"]
    assert list(loaded.predict_stream(["abc"])) == ["a", "b", "c"]
    assert loaded.metadata.pyfunc["streamable"] is True


def test_an_asynchronous_stream_is_drained_and_closed_when_nobody_asks_for_more() -> None:
    from mlcore.models.python_model import PythonModelContext, PythonPredictor

    predictor = PythonPredictor(SpellingSlowly(), PythonModelContext())
    parts = predictor.predict_stream("abc", {})

    assert next(parts) == "a"
    parts.close()  # type: ignore[attr-defined]  # a generator

    assert closed.wait(10)


def test_a_predict_that_is_a_generator_streams() -> None:
    def count(model_input):
        yield from range(model_input[0])

    loaded = saved(count)

    assert list(loaded.predict_stream([3])) == [0, 1, 2]
    assert list(loaded.predict([3])) == [0, 1, 2]
    assert "streamable" not in loaded.metadata.pyfunc


def test_a_model_that_does_not_stream_says_so_before_the_first_part() -> None:
    with pytest.raises(
        UnsupportedError, match="this model, a FunctionModel, does not stream: it has no predict_stream"
    ):
        saved(lambda model_input: model_input).predict_stream([1])


def test_several_inputs_are_no_one_stream() -> None:
    loaded = saved(Spelling())

    with pytest.raises(InvalidParameterError, match="predict_stream takes one input, got 2: ask for one at a time"):
        loaded.predict_stream(["a", "b"])


def hinted_texts(model_input: list[str]) -> list[int]:
    return [len(text) for text in model_input]


def hinted_times(model_input: list[dt.datetime]) -> list[str]:
    return [time.isoformat() for time in model_input]


def hinted_maps(model_input: list[dict[str, list[float]]]) -> Any:
    return [sum(each["a"]) for each in model_input]


def hinted_people(model_input: list[Person]) -> list[str]:
    return [f"{person.name} {person.age + 1}" for person in model_input]


def hinted_frame(model_input: pd.DataFrame) -> int:
    return len(model_input)


@pytest.mark.parametrize(
    ("function", "inputs", "outputs", "data", "expected"),
    [
        (hinted_texts, "string (required)", "long (required)", ["a", "bcd"], [1, 3]),
        (hinted_times, "datetime (required)", "string (required)", [dt.datetime(2024, 1, 2)], ["2024-01-02T00:00:00"]),
        (hinted_maps, "map(array(double)) (required)", "any (required)", [{"a": [1.0, 2.0]}], [3.0]),
        (
            hinted_people,
            "{age: long, email: string (optional), name: string} (required)",
            "string (required)",
            [{"name": "Ada", "age": 36}],
            ["Ada 37"],
        ),
    ],
)
def test_the_hints_of_a_list_are_the_signature_and_the_model_gets_the_list(
    function: object, inputs: str, outputs: str, data: object, expected: object
) -> None:
    loaded = saved(function)

    signature = loaded.metadata.signature
    assert [str(column) for column in signature.inputs] == [inputs]
    assert [str(column) for column in signature.outputs] == [outputs]
    assert loaded.metadata.other["is_signature_from_type_hint"] is True
    assert loaded.predict(data) == expected


@pytest.mark.parametrize(
    ("function", "data", "expected"),
    [
        (hinted_texts, pd.DataFrame({"text": ["a", "bcd"]}), [1, 3]),
        (hinted_texts, pd.DataFrame({"text": ["a", "bcd"], "more": ["?", "?"]}), [1, 3]),
        (hinted_maps, pd.DataFrame({"map": [{"a": [1.0, 2.0]}]}), [3.0]),
        (hinted_people, pd.DataFrame({"person": [{"name": "Ada", "age": 36}]}), ["Ada 37"]),
    ],
)
def test_a_frame_is_the_list_of_the_values_of_its_first_column_whatever_its_name(
    function: object, data: pd.DataFrame, expected: object
) -> None:
    assert saved(function).predict(data) == expected


def test_data_that_does_not_fit_the_hints_never_reaches_the_model() -> None:
    with pytest.raises(SignatureError):
        saved(hinted_texts).predict([1, 2])


def test_hints_of_other_kinds_say_nothing_and_a_given_signature_wins() -> None:
    assert saved(hinted_frame).metadata.signature is None

    pyfunc.save_model("none", python_model=hinted_texts, signature=False)
    assert MLModel.read(Path("none")).signature is None


def test_an_example_goes_with_hints() -> None:
    loaded = saved(hinted_people, input_example=[{"name": "Ada", "age": 36}])

    assert loaded.predict(loaded.input_example) == ["Ada 37"]


class Endpoint:
    """As MLflow's classes of resources are."""

    target_uri = "databricks"

    def __init__(self, name: str) -> None:
        self.name = name

    def to_dict(self) -> Mapping[str, list[Mapping[str, object]]]:
        return {"serving_endpoint": [{"name": self.name}]}


EXPECTED = {"api_version": "1", "databricks": {"serving_endpoint": [{"name": "a"}, {"name": "b"}]}}


def test_resources_are_told_by_the_file_in_every_way_of_giving_them(tmp_path: Path) -> None:
    written = "api_version: '1'\ndatabricks: {serving_endpoint: [{name: a}, {name: b}]}\n"
    (tmp_path / "resources.yaml").write_text(written)
    ways: list[object] = [[Endpoint("a"), Endpoint("b")], EXPECTED, tmp_path / "resources.yaml"]

    for number, resources in enumerate(ways):
        pyfunc.save_model(f"m{number}", python_model=hinted_texts, resources=resources)

        assert MLModel.read(Path(f"m{number}")).resources == EXPECTED


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ("nowhere.yaml", "there is no file 'nowhere.yaml'"),
        ([1], "invalid resource 1: expected one with target_uri and to_dict"),
        ({"databricks": ["a"]}, "resources must map places to kinds"),
        ({"databricks": {"serving_endpoint": ["a"]}}, "resources must map places to kinds"),
        ({"api_version": "2"}, "api_version of resources must be '1', got '2'"),
    ],
)
def test_resources_of_another_shape_are_named(resources: object, message: str) -> None:
    with pytest.raises(MlcoreError, match=message):
        pyfunc.save_model("m", python_model=hinted_texts, resources=resources)
    assert not Path("m").exists()
