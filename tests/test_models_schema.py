"""Signatures as JSON, and what is inferred from data."""

from __future__ import annotations

import datetime as dt
import decimal
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlcore.errors import ModelFormatError, SignatureError
from mlcore.models.data_types import AnyType, Array, DataType, Map, Object, Property
from mlcore.models.enforce import compile_signature
from mlcore.models.infer import infer_schema, infer_signature
from mlcore.models.schema import ColSpec, ModelSignature, ParamSchema, ParamSpec, Schema, TensorSpec

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")

COMPOUND = Schema(
    [
        ColSpec("double", "a"),
        ColSpec(Array(Array(DataType.long)), "nested", required=False),
        ColSpec(Object([Property("x", "string"), Property("y", Map(DataType.double), required=False)]), "o"),
        ColSpec(AnyType(), "any"),
    ]
)


def test_a_signature_survives_its_json_form() -> None:
    params = ParamSchema([ParamSpec("t", DataType.double, 0.5), ParamSpec("ks", DataType.long, [1, 2], (-1,))])
    signature = ModelSignature(COMPOUND, Schema([TensorSpec("float64", (-1, 3))]), params)

    assert ModelSignature.from_dict(signature.to_dict()) == signature


def test_the_json_of_columns_is_what_mlflow_writes() -> None:
    schema = Schema([ColSpec(DataType.double, "a"), ColSpec(Array(DataType.long), "x")])

    assert schema.to_json() == (
        '[{"type": "double", "name": "a", "required": true}, '
        '{"type": "array", "items": {"type": "long"}, "name": "x", "required": true}]'
    )


def test_a_signature_of_mlflow_1_is_read() -> None:
    signature = ModelSignature.from_dict(
        {"inputs": '[{"name": "a", "type": "double"}, {"name": "b", "type": "string"}]'}
    )

    assert signature.inputs == Schema([ColSpec("double", "a"), ColSpec("string", "b")])
    assert signature.outputs is None


def test_params_with_the_old_spelling_dtype_are_read() -> None:
    found = ParamSchema.from_json('[{"name": "k", "dtype": "long", "default": 3, "shape": null}]')

    assert found == ParamSchema([ParamSpec("k", DataType.long, 3)])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1}', "field `signature.inputs` must be a JSON list, got {'a': 1}"),
        ('[{"type": "dubble", "name": "a"}]', "field `signature.inputs[0].type` must be one of boolean, integer, long"),
        ('[{"type": "array", "items": 1, "name": "q"}]', "field `signature.inputs[0].items` must be a mapping, got 1"),
        ("[", "field `signature.inputs` must be a JSON text: Expecting value"),
        ('[{"type": "long", "name": "a"}, {"type": "long"}]', "either all or none of a schema's columns have names"),
        (
            '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-2]}}]',
            "field `signature.inputs[0].tensor-spec.shape` must be a list of ints >= -1, got [-2]",
        ),
    ],
)
def test_an_unreadable_signature_is_told_with_its_path(text: str, message: str) -> None:
    with pytest.raises(ModelFormatError) as raised:
        ModelSignature.from_dict({"inputs": text})

    assert message in str(raised.value)


def test_a_type_nested_without_end_is_refused() -> None:
    deep = '{"type": "array", "items": ' * 50 + '{"type": "long"}' + "}" * 50

    with pytest.raises(ModelFormatError, match="nested more than 32 levels deep"):
        Schema.from_json(f"[{deep}]")


FAMILIES = {
    "int64": pd.Series([1, 2]),
    "int8": pd.Series([1, -2], dtype="int8"),
    "uint8": pd.Series([1, 255], dtype="uint8"),
    "uint32": pd.Series([1, 2**32 - 1], dtype="uint32"),
    "uint64 that fits": pd.Series([1, 2], dtype="uint64"),
    "uint64 that does not fit": pd.Series([1, 2**64 - 1], dtype="uint64"),
    "float16": pd.Series([1.5, np.nan], dtype="float16"),
    "float32": pd.Series([1.5, np.nan], dtype="float32"),
    "float64": pd.Series([np.inf, np.nan]),
    "Int64": pd.Series([1, None], dtype="Int64"),
    "Int64 beyond float64": pd.Series([2**60 + 1, None], dtype="Int64"),
    "Int8": pd.Series([1, None], dtype="Int8"),
    "UInt64": pd.Series([2**64 - 1, None], dtype="UInt64"),
    "Float64": pd.Series([1.5, None], dtype="Float64"),
    "Float32": pd.Series([1.5, None], dtype="Float32"),
    "boolean": pd.Series([True, None], dtype="boolean"),
    "bool": pd.Series([True, False]),
    "str": pd.Series(["a", None]),
    "string": pd.Series(["a", None], dtype="string"),
    "texts as objects": pd.Series(["a", None], dtype=object),
    "category of texts": pd.Series(["a", None], dtype="category"),
    "category of ints": pd.Series([1, None], dtype="category"),
    "datetime64": pd.Series(pd.to_datetime(["2020-01-01", None])),
    "datetime64 in the year 3000": pd.Series(np.array(["3000-01-01"], dtype="datetime64[s]")),
    "datetime64 with zone": pd.Series(pd.to_datetime(["2020-01-01"], utc=True)),
    "timedelta64": pd.Series(pd.to_timedelta([1, 2])),
    "period": pd.Series(pd.period_range("2020", periods=2, freq="D")),
    "interval": pd.Series(pd.interval_range(0, 2)),
    "sparse ints": pd.Series(pd.arrays.SparseArray([0, 1])),
    "sparse floats": pd.Series(pd.arrays.SparseArray([np.nan, 1.0])),
    "complex": pd.Series([1j, 2]),
    "ints as objects": pd.Series([1, None], dtype=object),
    "huge ints": pd.Series([2**70, 1], dtype=object),
    "mixed": pd.Series([1, "a"], dtype=object),
    "bytes": pd.Series([b"a", None]),
    "dates": pd.Series([dt.date(2020, 1, 1), None], dtype=object),
    "timestamps as objects": pd.Series([pd.Timestamp("2020-01-01"), None], dtype=object),
    "decimals": pd.Series([decimal.Decimal("1.1"), None]),
    "lists": pd.Series([[1, 2], [3]]),
    "dicts": pd.Series([{"a": 1}, {"a": 2, "b": "x"}]),
    "arrays": pd.Series([np.array([1.0, 2.0]), np.array([3.0])]),
    "nothing but missing": pd.Series([None, None], dtype=object),
    "no rows": pd.Series([], dtype="float64"),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_frame_fits_the_signature_inferred_from_it(family: str) -> None:
    frame = FAMILIES[family].to_frame("x")

    enforced = compile_signature(infer_signature(frame)).enforce(frame)

    assert isinstance(enforced, pd.DataFrame)
    assert enforced["x"].isna().tolist() == frame["x"].isna().tolist()


cell = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.dates(), st.datetimes()
)
column = st.one_of(
    *(
        st.lists(st.one_of(st.none(), kind), min_size=3, max_size=3)
        for kind in (cell, st.integers(), st.floats(), st.text(), st.booleans(), st.datetimes())
    )
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.text(min_size=1), column, min_size=1, max_size=4))
def test_any_frame_fits_the_signature_inferred_from_it(columns: dict[str, list[object]]) -> None:
    frame = pd.DataFrame(columns)

    enforced = compile_signature(infer_signature(frame)).enforce(frame)

    assert enforced.columns.tolist() == list(columns)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.fixed_dictionaries({"a": st.integers(), "b": st.floats()}, optional={"c": st.text()}), min_size=1))
def test_records_fit_the_signature_inferred_from_them(records: list[dict[str, object]]) -> None:
    signature = infer_signature(records)

    assert len(compile_signature(signature).enforce(records)) == len(records)


@pytest.mark.parametrize(
    "dtype", ["float64", "float32", "int64", "uint8", "bool", "<U3", "complex128", "datetime64[ns]", "O"]
)
def test_an_array_fits_the_signature_inferred_from_it(dtype: str) -> None:
    array = np.zeros((2, 3, 4), dtype=dtype)

    enforced = compile_signature(infer_signature(array)).enforce(array)

    assert enforced is array


def test_arrays_by_name_become_tensors_by_name() -> None:
    schema = infer_schema({"x": np.zeros((2, 3), "float32"), "y": np.zeros(2, "int64")})

    assert schema == Schema([TensorSpec("float32", (-1, 3), "x"), TensorSpec("int64", (-1,), "y")])


def test_columns_of_a_frame_made_of_an_array_go_by_position() -> None:
    schema = infer_schema(pd.DataFrame(np.zeros((2, 2))))

    assert schema == Schema([ColSpec("double"), ColSpec("double")])


def test_records_become_columns_and_what_some_lack_is_optional() -> None:
    schema = infer_schema([{"a": 1, "b": "x"}, {"a": 2.5}])

    assert schema == Schema([ColSpec("double", "a"), ColSpec("string", "b", required=False)])


def test_lists_of_values_become_one_column() -> None:
    assert infer_schema(["a", "b"]) == Schema([ColSpec("string")])
    assert infer_schema([[1, 2], [3]]) == Schema([ColSpec(Array(DataType.long))])
    assert infer_schema(2.5) == Schema([ColSpec("double")])


def test_params_are_inferred_with_their_defaults() -> None:
    signature = infer_signature(params={"t": 0.5, "ks": [1, 2], "deep": {"a": True}})

    assert signature.params is not None
    assert json.loads(signature.params.to_json()) == [
        {"name": "t", "default": 0.5, "shape": None, "type": "double"},
        {"name": "ks", "default": [1, 2], "shape": [-1], "type": "long"},
        {
            "name": "deep",
            "default": {"a": True},
            "shape": None,
            "type": "object",
            "properties": {"a": {"type": "boolean", "required": True}},
        },
    ]


def test_a_column_of_foreign_objects_is_named() -> None:
    frame = pd.DataFrame({"x": [object()]})

    with pytest.raises(SignatureError, match="column 'x': a value of type 'object' has no data type"):
        infer_signature(frame)


def test_columns_of_several_levels_are_refused_with_what_to_do() -> None:
    frame = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)]))

    with pytest.raises(SignatureError, match="columns of 2 levels have no schema: flatten them first"):
        infer_signature(frame)
