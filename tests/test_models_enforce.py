"""The compiled signature: what it accepts, casts and refuses."""

from __future__ import annotations

import base64
import datetime as dt
import io

import pytest

from mlcore.errors import SignatureError
from mlcore.models.data_types import Array, DataType, Object, Property
from mlcore.models.enforce import Validator, compile_signature
from mlcore.models.faults import SignatureWarning
from mlcore.models.schema import ColSpec, ModelSignature, ParamSchema, ParamSpec, Schema, TensorSpec

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")


def validator(*specs: ColSpec | TensorSpec, params: ParamSchema | None = None) -> Validator:
    return compile_signature(ModelSignature(Schema(specs) if specs else None, None, params))


AB = (ColSpec("double", "a"), ColSpec("long", "b"))
NUMBERS = (ColSpec("double", "a"), ColSpec("double", "b"))


def test_all_wire_forms_of_a_request_make_the_same_frame() -> None:
    mixed = (*AB, ColSpec("string", "s"), ColSpec("datetime", "d"), ColSpec("boolean", "k"), ColSpec("binary", "raw"))
    checks = validator(*mixed)
    raw = base64.b64encode(b"\x00\x01").decode()
    rows = [[1.1, 2, "007", "2020-01-02T03:04:05", True, raw], [2, 3, "x", "2021-01-01", False, raw]]
    names = [s.name for s in mixed]

    split = checks.split(names, rows)
    records = checks.records([dict(zip(names, row, strict=True)) for row in rows])
    columns = checks.json({name: [row[i] for row in rows] for i, name in enumerate(names)})
    by_position = checks.json(rows)
    text = io.StringIO()
    pd.DataFrame(rows, columns=names).to_csv(text, index=False)
    from_csv = checks.csv(text.getvalue())

    for other in (records, columns, by_position, from_csv):
        pd.testing.assert_frame_equal(split, other)
    assert split.loc[0].tolist() == [1.1, 2, "007", pd.Timestamp("2020-01-02T03:04:05"), True, b"\x00\x01"]


@pytest.mark.parametrize("specs", [AB, NUMBERS])
def test_columns_go_by_name_and_extra_ones_are_dropped(specs: tuple[ColSpec, ...]) -> None:
    frame = validator(*specs).split(["x", "b", "a"], [["?" if specs is AB else 9, 2, 1.5]])

    assert frame.to_dict("list") == {"a": [1.5], "b": [2]}


def test_all_faults_are_listed_at_once_with_column_expected_and_got() -> None:
    checks = validator(*AB, ColSpec("string", "s"))

    with pytest.raises(SignatureError) as raised:
        checks.records([{"a": 1.0, "b": 1, "s": "x"}, {"a": "many", "b": 2.5, "s": 3}])

    assert str(raised.value) == (
        "the data does not fit the model's signature: column 'a': expected double, got string 'many' in row 1; "
        "column 'b': expected long, got double 2.5 in row 1; column 's': expected string, got long 3 in row 1. "
        "The model takes the columns 'a': double (required), 'b': long (required), 's': string (required); "
        "extra columns are dropped, order does not matter"
    )
    assert raised.value.status == 400


def test_missing_columns_are_named_with_those_that_nobody_knows() -> None:
    with pytest.raises(SignatureError) as raised:
        validator(*AB).split(["A", "b"], [[1.0, 2]])

    assert "column 'a' is missing (expected double). Not known to the model: ['A']. The model takes" in str(
        raised.value
    )


def test_an_optional_column_may_be_left_out() -> None:
    checks = validator(ColSpec("double", "a"), ColSpec("double", "b", required=False))

    assert checks.split(["a"], [[1.0]]).to_dict("list") == {"a": [1.0]}


def test_a_row_of_another_length_is_named() -> None:
    with pytest.raises(SignatureError, match="row 1 has 1 values, expected 2"):
        validator(*NUMBERS).split(["a", "b"], [[1.0, 2.0], [1.0]])


@pytest.mark.parametrize(("value", "got"), [("1.5", "string '1.5'"), (True, "boolean True"), ([1], r"list \[1\]")])
def test_a_number_is_a_number(value: object, got: str) -> None:
    with pytest.raises(SignatureError, match=f"column 'b': expected double, got {got} in row 0"):
        validator(*NUMBERS).split(["a", "b"], [[1.0, value]])


def test_whole_floats_and_missing_values_fit_a_long_column() -> None:
    checks = validator(ColSpec("long", "n"))

    assert checks.split(["n"], [[1.0], [2]])["n"].tolist() == [1, 2]
    assert checks.split(["n"], [[1], [2]])["n"].dtype == "int64"
    gaps = checks.split(["n"], [[1], [None]])["n"]
    assert gaps.dtype == "float64"
    assert gaps.isna().tolist() == [False, True]
    assert checks.frame(pd.DataFrame({"n": [1.0, np.nan]}))["n"].dtype == "float64"


def test_a_fraction_does_not_fit_a_long_column_of_a_frame() -> None:
    with pytest.raises(SignatureError, match=r"column 'n': expected long, got float64 with 2\.5 in row 1"):
        validator(ColSpec("long", "n")).frame(pd.DataFrame({"n": [1.0, 2.5]}))


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        (pd.Series(["a"]), "double", "expected double, got texts"),
        (pd.Series([1]), "string", "expected string, got int64; make it texts with .astype(str)"),
        (pd.Series([1]), "boolean", "expected boolean, got int64"),
        (pd.Series([2**40]), "integer", "expected integer, got int64 with 1099511627776, which is out of its range"),
        (
            pd.Series([2**60]),
            "double",
            "expected double, got int64 over 9007199254740992, which double can't hold exactly",
        ),
        (pd.Series([0.1]), "float", "expected float, got float64 with 0.1 in row 0, which float32 can't hold exactly"),
        (pd.Series([1e300]), "float", "expected float, got a number over 3.40282e+38"),
        (pd.Series([True]), "long", "expected long, got bool"),
        (pd.Series([1]), "datetime", "expected datetime, got int64; pandas.to_datetime makes one"),
    ],
)
def test_a_column_of_a_frame_is_never_converted_with_loss(values: object, kind: str, message: str) -> None:
    with pytest.raises(SignatureError) as raised:
        validator(ColSpec(kind, "x")).frame(pd.DataFrame({"x": values}))

    assert f"column 'x': {message}" in str(raised.value)


@pytest.mark.parametrize(
    ("dtype", "kind", "becomes"),
    [
        ("int8", "long", "int64"),
        ("uint8", "integer", "int32"),
        ("int32", "double", "float64"),
        ("int64", "double", "float64"),
        ("float32", "double", "float64"),
        ("int64", "integer", "int32"),
        ("float64", "long", "int64"),
        ("Int64", "long", "int64"),
        ("Float64", "double", "float64"),
        ("float64", "float", "float32"),
    ],
)
def test_numbers_are_cast_when_nothing_is_lost(dtype: str, kind: str, becomes: str) -> None:
    enforced = validator(ColSpec(kind, "x")).frame(pd.DataFrame({"x": pd.Series([1, 2], dtype=dtype)}))

    assert enforced["x"].dtype == becomes


def test_a_frame_that_fits_is_handed_on_as_it_is() -> None:
    frame = pd.DataFrame({"a": [1.0], "b": [2]})

    assert validator(*AB).frame(frame) is frame


def test_the_callers_frame_is_never_changed() -> None:
    frame = pd.DataFrame({"b": [2.0], "a": [1.0]})

    enforced = validator(*AB).frame(frame)

    assert frame.dtypes.tolist() == ["float64", "float64"]
    assert enforced.dtypes.tolist() == ["float64", "int64"]
    assert enforced.columns.tolist() == ["a", "b"]


def test_times_with_an_offset_are_told_in_utc() -> None:
    found = validator(ColSpec("datetime", "d")).split(["d"], [["2020-01-01T02:00:00+02:00"], [None]])

    assert found["d"][0] == pd.Timestamp("2020-01-01")
    assert found["d"].isna().tolist() == [False, True]


@pytest.mark.parametrize(("kind", "hint"), [("datetime", "datetime in ISO 8601"), ("binary", "binary as base64")])
def test_texts_that_are_no_time_or_base64_are_refused(kind: str, hint: str) -> None:
    with pytest.raises(SignatureError, match=f"column 'x': expected {hint}, got string '!' in row 0"):
        validator(ColSpec(kind, "x")).split(["x"], [["!"]])


def test_columns_without_names_go_by_position() -> None:
    checks = validator(ColSpec("double"), ColSpec("double"))

    assert checks.enforce([[1, 2], [3, 4]]).to_numpy().tolist() == [[1, 2], [3, 4]]
    assert checks.enforce(np.array([[1, 2]])).to_numpy().tolist() == [[1, 2]]
    with pytest.raises(SignatureError, match="expected 2 columns, got 1"):
        checks.enforce(np.array([[1]]))


def test_an_array_fits_columns_with_names_by_position() -> None:
    frame = validator(*AB).enforce(np.array([[1.5, 2.0]]))

    assert frame.to_dict("list") == {"a": [1.5], "b": [2]}


def test_one_value_is_one_row_of_a_model_with_one_column() -> None:
    checks = validator(ColSpec("string"))

    assert checks.enforce("hello").iloc[:, 0].tolist() == ["hello"]
    assert checks.enforce(["hello", "world"]).iloc[:, 0].tolist() == ["hello", "world"]


def test_a_dict_of_values_is_one_row() -> None:
    assert validator(*AB).enforce({"b": 2, "a": 1.5}).to_dict("list") == {"a": [1.5], "b": [2]}


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(SignatureError, match=r"columns differ in length: \{'a': 2, 'b': 1\}"):
        validator(*AB).json({"a": [1.0, 2.0], "b": [1]})


def test_compound_values_are_checked_inside() -> None:
    kind = Object([Property("x", DataType.double), Property("tags", Array(DataType.string), required=False)])
    checks = validator(ColSpec(kind, "o"))

    assert checks.records([{"o": {"x": 1, "tags": ["a"]}}])["o"].tolist() == [{"x": 1.0, "tags": ["a"]}]
    with pytest.raises(SignatureError, match="expected string, got long 1 in row 0"):
        checks.records([{"o": {"x": 1, "tags": [1]}}])
    with pytest.raises(SignatureError, match=r"got an object without \['x'\] and with unknown \['y'\] in row 0"):
        checks.records([{"o": {"y": 1}}])


def test_a_row_of_numbers_is_one_value_of_an_array_column() -> None:
    checks = validator(ColSpec(Array(DataType.double)))

    assert checks.enforce([[1, 2], [3]]).iloc[:, 0].tolist() == [[1.0, 2.0], [3.0]]


def test_requests_without_rows_make_an_empty_frame_of_the_right_types() -> None:
    frame = validator(*AB).split(["a", "b"], [])

    assert frame.shape == (0, 2)
    assert frame.dtypes.tolist() == ["float64", "int64"]


def test_the_index_of_a_request_is_kept() -> None:
    assert validator(*NUMBERS).split(["a", "b"], [[1.0, 2.0]], index=["row"]).index.tolist() == ["row"]


def test_integers_out_of_range_are_named() -> None:
    with pytest.raises(SignatureError, match=r"expected long, got 1180591620717411303424 out of .* in row 0"):
        validator(ColSpec("long", "n")).split(["n"], [[2**70]])


def test_a_tensor_is_cast_from_lists_and_checked_in_shape() -> None:
    checks = validator(TensorSpec("float32", (-1, 2)))

    assert checks.json([[1, 2.5]]).dtype == "float32"
    with pytest.raises(SignatureError, match=r"expected shape \(-1, 2\), got \(1, 3\)"):
        checks.json([[1, 2, 3]])
    with pytest.raises(SignatureError, match=r"expected float32 with shape \(-1, 2\), got str"):
        checks.json([["a", "b"]])
    with pytest.raises(SignatureError, match="got lists that make no array"):
        checks.json([[1, 2], [3]])


def test_a_tensor_of_small_ints_refuses_what_it_cannot_hold() -> None:
    checks = validator(TensorSpec("uint8", (-1,)))

    assert checks.json([0, 255]).tolist() == [0, 255]
    with pytest.raises(
        SignatureError, match=r"expected uint8 with shape .* got int64 with 256, which uint8 can't hold"
    ):
        checks.json([256])


def test_tensors_by_name_come_from_columns_or_from_rows() -> None:
    checks = validator(TensorSpec("float64", (-1, 2), "x"), TensorSpec("int64", (-1,), "n"))

    for request in ({"x": [[1, 2]], "n": [3]}, [{"x": [1, 2], "n": 3}]):
        found = checks.json(request)
        assert found["x"].tolist() == [[1.0, 2.0]]
        assert found["n"].tolist() == [3]
    with pytest.raises(SignatureError, match=r"tensor 'n' is missing \(expected int64 with shape \(-1,\)\)"):
        checks.json({"x": [[1, 2]]})


def test_without_a_schema_data_passes_as_it_is() -> None:
    checks = compile_signature(None)
    data = object()

    assert checks.enforce(data) is data
    assert checks.split(["a"], [["x"]]).to_dict("list") == {"a": ["x"]}
    assert checks.json([[1, 2]]).tolist() == [[1, 2]]
    assert checks.json({"a": [1]})["a"].tolist() == [1]


def test_something_else_than_csv_is_refused() -> None:
    with pytest.raises(SignatureError, match="the data is not CSV with a header"):
        validator(*AB).csv("")


PARAMS = ParamSchema(
    [
        ParamSpec("t", DataType.double, 0.5),
        ParamSpec("ks", DataType.long, [1], (-1,)),
        ParamSpec("w", DataType.datetime),
    ]
)


def test_params_get_their_defaults_and_their_types() -> None:
    checks = validator(params=PARAMS)

    assert checks.params({"t": 1, "w": "2020-01-01"}) == {"t": 1.0, "ks": [1], "w": dt.datetime(2020, 1, 1)}


def test_wrong_params_are_named_all_at_once() -> None:
    with pytest.raises(SignatureError) as raised:
        validator(params=PARAMS).params({"t": "hot", "ks": 1})

    assert "param 't': expected double, got string 'hot'; param 'ks': expected a list of long, got 1" in str(
        raised.value
    )


def test_unknown_params_are_dropped_with_a_warning() -> None:
    with pytest.warns(SignatureWarning, match=r"params \['x'\] are ignored: the model does not know them"):
        assert validator(params=PARAMS).params({"x": 1})["t"] == 0.5
