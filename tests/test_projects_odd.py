"""Whatever is in an MLproject file, the answer is a project or a ProjectError."""

from __future__ import annotations

import contextlib
import shlex
import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlcore.errors import ProjectError
from mlcore.projects.command_model import Hole
from mlcore.projects.commands import argv, checked_template
from mlcore.projects.parameters import Argument, checked
from mlcore.projects.project_file import load_project
from mlcore.projects.spec import EntryPoint, Project

KEYS = st.sampled_from(
    "name entry_points main parameters command type default conda_env python_env docker_env image volumes environment "
    "databricks_spark_job python_file python_libraries a b x-y".split()
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.dates(),
    st.text(),
    st.binary(max_size=4),
    st.sampled_from(
        ["float", "path", "python {a} '{b}'", "{", "'{a}", "$(", "conda.yaml", "2020-99-99", "0o9", "1:99"]
    ),
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(KEYS, inner, max_size=5),
        st.dictionaries(SCALARS, inner, max_size=2),
    ),
    max_leaves=25,
)
VALID = """name: &n houses
entry_points: {main: {parameters: {a: {type: float, default: 0.1}, b: path}, command: "python '{a}' {b} && ls"},
  other: {<<: {command: x}, parameters: *n}}
docker_env: {image: a/b, volumes: ["/a:/b"], environment: [HOME, [A, b]]}
"""


def outcome(data: bytes) -> Project | None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "MLproject").write_bytes(data)
        try:
            project = load_project(Path(folder))
        except ProjectError as err:
            _named(err)
            return None
        for entry in project.entry_points.values():
            _use(entry)
        return project


def _named(err: ProjectError) -> None:
    assert str(err).startswith("MLproject")


def _use(entry: EntryPoint) -> None:
    with contextlib.suppress(ProjectError):
        argv(entry, checked(entry, {parameter.name: "1" for parameter in entry.parameters} | {"more": "x"}))


@settings(max_examples=150, deadline=None)
@given(DOCUMENTS)
def test_every_document_is_read_or_refused(document: object) -> None:
    outcome(yaml.dump(document, Dumper=yaml.SafeDumper, allow_unicode=True).encode("utf-8", "surrogatepass"))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(VALID)), st.text(":{}[]&*!|>'\"\n #<-,%@`?\t\0a1~\ufeff", max_size=3)), max_size=4
    )
)
def test_every_damage_to_a_file_is_read_or_refused(damages: list[tuple[int, str]]) -> None:
    text = VALID
    for at, put in damages:
        text = text[:at] + put + text[at + 1 :]
    outcome(text.encode())


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_every_run_of_bytes_is_read_or_refused(data: bytes) -> None:
    outcome(data)


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [*a]\nentry_points: {main: {parameters: {x: {default: *b}}}}",
        "entry_points: &e {main: {parameters: {x: {default: &l [*l]}}, command: ls}}",
        "entry_points: &e {main: *e}",
        "entry_points: &e {<<: *e, main: {command: ls}}",
        "? [1, 2]\n: x",
        "? {a: b}\n: x",
        "name: !!bool perhaps",
        "entry_points: {main: {command: ls, parameters: {x: {default: !!int ''}, y: {default: !!timestamp x}}}}",
        "entry_points: {main: {command: ls, parameters: {x: {default: 2020-99-99}, y: {default: !!float x}}}}",
        f"entry_points: {{main: {{command: ls, parameters: {{x: {{default: {'9' * 5000}}}}}}}}}",
        "!!set {a, b}",
        "--- a\n--- b",
        "name: 'x",
        "name: \t- x",
        "<<: 3",
        "<<: [3, {name: 4}]",
    ],
)
def test_odd_yaml_is_read_or_refused(text: str) -> None:
    outcome(text.encode())


PIECES = "{x}|{y}| |'|\"|\\|$|$(|)|((|))|`|${{|}}|#|\n|;|&&|<|<<|>|sh|-c|python|eval|case|in|[[|]]|a=|a[|{{|$'|echo|*|-|=".split(
    "|"
)
TEMPLATE = st.lists(st.sampled_from([*PIECES, "|"]), max_size=14).map("".join)


@settings(max_examples=400, deadline=None)
@example("\\", "")
@example("'{x}'\\", "")
@given(TEMPLATE, st.text(alphabet="a '\"$()`;\n", max_size=5))
def test_every_template_gets_its_values_as_words_or_is_refused(template: str, value: str) -> None:
    entry = EntryPoint("main", template)
    try:
        scanned = checked_template(template)
        words = argv(entry, [Argument("x", f"@@{value}@@"), Argument("y", "1")])
    except ProjectError:
        return

    used = any(isinstance(piece, Hole) and piece.name == "x" for piece in scanned.script)
    if words[:2] == ("bash", "-c"):
        assert f"@@{value}@@" not in words[2]
    assert any(f"@@{value}@@" in word for word in words) or not used


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab '\"\\%@", min_size=1, max_size=12))
def test_a_command_that_needs_no_shell_is_split_as_a_shell_would(command: str) -> None:
    try:
        expected = tuple(shlex.split(command))
    except ValueError:
        with pytest.raises(ProjectError):
            argv(EntryPoint("main", command), ())
        return
    if expected:
        assert argv(EntryPoint("main", command), ()) == expected
