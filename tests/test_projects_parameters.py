"""Parameters of entry points: all their faults are told before anything is started."""

from __future__ import annotations

import pytest

from mlcore.errors import ProjectError
from mlcore.projects.parameters import checked
from mlcore.projects.spec import EntryPoint, Parameter, ParameterType

ENTRY = EntryPoint(
    "main",
    "run {alpha} {data} {name}",
    (Parameter("alpha", ParameterType.FLOAT), Parameter("data", ParameterType.PATH), Parameter("name", default="x")),
)


def test_values_come_in_the_order_of_the_file_with_defaults_and_then_the_others() -> None:
    arguments = checked(ENTRY, {"seed": 3, "data": "a.csv", "alpha": 0.25})

    assert [(each.name, each.value, each.type, each.declared) for each in arguments] == [
        ("alpha", "0.25", ParameterType.FLOAT, True),
        ("data", "a.csv", ParameterType.PATH, True),
        ("name", "x", ParameterType.STRING, True),
        ("seed", "3", ParameterType.STRING, False),
    ]


def test_all_faults_are_told_at_once_with_name_type_and_value() -> None:
    with pytest.raises(ProjectError) as caught:
        checked(ENTRY, {"alpha": "small", "dta": "a.csv", "-x": "1", "name": "a\0b"})

    assert str(caught.value).splitlines() == [
        "entry point 'main': 4 faults in its parameters:",
        "  parameter 'alpha' is a float, and 'small' is not a number",
        "  parameter 'data' of type path has no default and no value was given; 'dta' was given, did you mean 'data'?",
        "  parameter 'name': 'a\\x00b' has a NUL character, which no command line can hold",
        "  '-x' cannot be the name of a parameter: it becomes the option --NAME of the command",
    ]


@pytest.mark.parametrize("value", ["1", "-2.5e-3", "nan", "inf", " 3 ", 7, 0.1])
def test_a_float_is_whatever_python_reads_as_one(value: object) -> None:
    assert checked(ENTRY, {"alpha": value, "data": "d"})[0].value == str(value)


@pytest.mark.parametrize("value", ["", "1,5", "0x10", True, None, "1 2"])
def test_what_python_does_not_read_as_a_float_is_refused(value: object) -> None:
    with pytest.raises(ProjectError, match=r"'alpha' is a float, and .* is not a number"):
        checked(ENTRY, {"alpha": value, "data": "d"})


@pytest.mark.parametrize(
    ("value", "fault"), [("x" * 200_000, "has 200000 bytes"), ("\ud800", "no command line can hold")]
)
def test_a_value_that_no_command_line_can_hold_is_refused(value: str, fault: str) -> None:
    with pytest.raises(ProjectError, match=fault):
        checked(ENTRY, {"alpha": 1, "data": value})
