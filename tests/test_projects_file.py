"""Reading MLproject files: what they may say, and every fault with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlcore.errors import ProjectError
from mlcore.projects.commands import argv
from mlcore.projects.conventions import entry_point
from mlcore.projects.parameters import checked
from mlcore.projects.project_file import load_project
from mlcore.projects.spec import ParameterType


def project_file(directory: Path, text: str, name: str = "MLproject") -> Path:
    (directory / name).write_text(text, encoding="utf-8")
    return directory


def test_a_file_says_name_entry_points_and_typed_parameters(tmp_path: Path) -> None:
    project_file(
        tmp_path,
        """
        name: houses
        entry_points:
          main:
            parameters:
              data: path
              rate: {type: float, default: 0.1}
              rounds: {type: int, default: 10}
              flag: {default: true}
            command: "python train.py {data} {rate} {rounds} {flag}"
        """,
    )

    project = load_project(tmp_path)

    main = project.entry_points["main"]
    assert project.name == "houses"
    assert [(each.name, each.type, each.default) for each in main.parameters] == [
        ("data", ParameterType.PATH, None),
        ("rate", ParameterType.FLOAT, "0.1"),
        ("rounds", ParameterType.STRING, "10"),
        ("flag", ParameterType.STRING, "True"),
    ]


@pytest.mark.parametrize("name", ["MLproject", "mlproject", "MLPROJECT"])
def test_the_name_of_the_file_is_matched_whatever_its_case(tmp_path: Path, name: str) -> None:
    project_file(tmp_path, "name: found", name)
    assert load_project(tmp_path).name == "found"


def test_a_directory_called_mlproject_is_not_taken_for_the_file(tmp_path: Path) -> None:
    (tmp_path / "mlproject").mkdir()
    assert load_project(tmp_path).file is None


def test_without_file_the_environment_is_that_of_python_env_yaml_before_conda_yaml(tmp_path: Path) -> None:
    (tmp_path / "conda.yaml").touch()
    only_conda = load_project(tmp_path)
    (tmp_path / "python_env.yaml").touch()
    both = load_project(tmp_path)

    assert (only_conda.conda_env, only_conda.python_env) == (tmp_path / "conda.yaml", None)
    assert (both.conda_env, both.python_env) == (None, tmp_path / "python_env.yaml")
    assert both.name == tmp_path.name


def test_the_image_of_docker_env_has_volumes_and_variables(tmp_path: Path) -> None:
    project_file(
        tmp_path,
        "docker_env: {image: 'registry:5000/a/b:1', volumes: ['/a:/b'], environment: [HOME, [SIZE, 3], [EMPTY, '']]}",
    )

    image = load_project(tmp_path).docker_env

    assert image is not None
    assert (image.name, image.volumes) == ("registry:5000/a/b:1", ("/a:/b",))
    assert image.environment == (("HOME", None), ("SIZE", "3"), ("EMPTY", ""))


def test_keys_of_other_tools_are_passed_over_as_mlflow_does(tmp_path: Path) -> None:
    project_file(tmp_path, "description: what it does\nx-team: us\nentry_points: {main: {command: ls, owner: me}}")
    assert set(load_project(tmp_path).entry_points) == {"main"}


def test_parameters_can_be_shared_by_anchors_and_merge_keys(tmp_path: Path) -> None:
    project_file(
        tmp_path,
        """
        x: &shared {a: float, b: {default: 2}}
        entry_points:
          main: {parameters: *shared, command: "run {a} {b}"}
          other: {parameters: {<<: *shared, b: {default: 3}}, command: "run {a} {b}"}
        """,
    )

    points = load_project(tmp_path).entry_points

    assert [each.default for each in points["main"].parameters] == [None, "2"]
    assert {each.name: each.default for each in points["other"].parameters} == {"a": None, "b": "3"}


FAULTY = """name: [x]
entry_pints:
conda_env: missing.yaml
docker_env: {volumes: [3], environment: [[a, b, c], -x]}
entry_points:
  main:
    parameters: {a: {typ: float}, b: strin, n: {type: float, default: x}}
    comand: ls
  two:
    parameters: {learning: float}
    command: "python '{lerning}'"
  two:
    command: "python '"
  three: {command: "x {a.b}"}
  four: 4
"""
FAULTS = """MLproject has 16 faults:
  MLproject:1:7: name: expected a text, not a list
  MLproject:3:12: conda_env: there is no file 'missing.yaml' in DIRECTORY
  MLproject:4:1: docker_env: at most one of conda_env, python_env, docker_env is allowed, and conda_env is there
  MLproject:4:13: docker_env: the key image is missing: the name of a container image
  MLproject:4:24: docker_env.volumes[0]: expected HOST:CONTAINER, not '3'
  MLproject:4:42: docker_env.environment[0]: expected NAME, to copy a variable, or [NAME, VALUE]
  MLproject:4:53: docker_env.environment[1]: '-x' is not the name of a variable
  MLproject:6:3: entry_points.main: the command is missing
  MLproject:7:22: entry_points.main.parameters.a.typ: unknown key, did you mean 'type'?
  MLproject:7:38: entry_points.main.parameters.b: unknown type 'strin', did you mean 'string'?
  MLproject:7:71: entry_points.main.parameters.n.default: the default of a float has to be a number, not 'x'
  MLproject:8:5: entry_points.main.comand: unknown key, did you mean 'command'?
  MLproject:11:14: entry_points.two.command: no parameter 'lerning' is declared; did you mean 'learning'? (WAY)
  MLproject:12:3: entry_points.two: the key is there twice, first in line 9
  MLproject:14:20: entry_points.three.command: {a.b} is not the name of a parameter (WAY)
  MLproject:15:9: entry_points.four: expected keys with values, not '4'"""


def test_all_faults_of_a_file_are_told_at_once_with_their_places(tmp_path: Path) -> None:
    project_file(tmp_path, FAULTY)

    with pytest.raises(ProjectError) as caught:
        load_project(tmp_path)

    way = "write {name} for a parameter, {{ and }} for braces of the command itself"
    assert str(caught.value) == FAULTS.replace("DIRECTORY", repr(str(tmp_path))).replace("WAY", way)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: [", r"^MLproject:[12]:[15]: not valid YAML: "),
        ("a: b: c", r"^MLproject:1:5: not valid YAML: "),
        ("name: \x00", r"^MLproject.*not valid YAML: "),
        ("[" * 200, r"^MLproject is nested more than 100 levels deep$"),
        ("- a\n- b", r"^MLproject:1:1: expected keys with values, not a list$"),
        ("entry_points: {main: {command: ''}}", r"^MLproject:1:32: entry_points\.main\.command: the command is empty$"),
        (
            "entry_points: {main: {command: 'a {', }}",
            r"command: single '\{' encountered in format string \(write \{name\}",
        ),
        ("entry_points: {main: {parameters: {a: {default: !!python/name:os.system }}, command: a}}", r"with the tag"),
        ("python_env: ../nowhere/env.yaml", r"^MLproject:1:13: python_env: there is no file"),
        ("docker_env: {image: '--privileged'}", r"^MLproject:1:21: docker_env\.image: '--privileged' is not the name"),
        ("docker_env: debian", r"^MLproject:1:13: docker_env: expected keys with values, not 'debian'$"),
        ("databricks_spark_job: {}", r"needs a python_file, or the file needs entry_points"),
        ("databricks_spark_job: {python_file: a.py}\nconda_env: x", r"such a job cannot have conda_env"),
    ],
)
def test_a_fault_names_its_place_and_what_would_be_right(tmp_path: Path, text: str, fault: str) -> None:
    project_file(tmp_path, text)
    with pytest.raises(ProjectError, match=fault):
        load_project(tmp_path)


def test_a_command_that_takes_no_value_safely_is_refused_when_it_is_run_and_leaves_the_others_alone(
    tmp_path: Path,
) -> None:
    project_file(
        tmp_path,
        """
        entry_points:
          main: {parameters: {a: float}, command: "run {a}"}
          ticks: {parameters: {a: float}, command: "f `g {a}`"}
          dollar: {parameters: {a: float}, command: "f ${a}"}
        """,
    )
    project = load_project(tmp_path)

    assert argv(entry_point(project, "main"), checked(project.entry_points["main"], {"a": 1})) == ("run", "1")
    with pytest.raises(
        ProjectError, match=r"^MLproject: entry_points\.ticks\.command: .* backticks.*write \$\(\.\.\.\)"
    ):
        entry_point(project, "ticks")
    with pytest.raises(ProjectError, match=r"entry_points\.dollar\.command: .*behind a \$; write \$\{\{a\}\}"):
        entry_point(project, "dollar")


def test_keys_that_are_passed_over_and_look_like_a_mistake_are_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    project_file(
        tmp_path,
        "entry_points: {main: {command: ls, owner-of-it: me}}\nentrypoints: {other: {command: ls}}\ndescription: x",
        "mlProject",
    )

    load_project(tmp_path)
    load_project(tmp_path)

    assert [record.getMessage() for record in caplog.records] == [
        "mlProject:2:1: entrypoints: the unknown key is passed over; 'entry_points' is there too",
        "mlProject:1:36: entry_points.main.owner-of-it: the unknown key is passed over; known are parameters, command",
    ]


def test_several_values_of_a_float_are_answered_with_how_to_search(tmp_path: Path) -> None:
    project_file(tmp_path, "entry_points: {main: {parameters: {lr: float}, command: 'run {lr}'}}")
    main = load_project(tmp_path).entry_points["main"]

    for several in ("0.1,0.3", "uniform(0, 1)", "range(2,6)"):
        with pytest.raises(ProjectError, match=r"is not a number \(to run once per value, add --search grid\)$"):
            checked(main, {"lr": several})
    with pytest.raises(ProjectError, match=r"is not a number$"):
        checked(main, {"lr": "high"})


def test_a_file_of_aliases_that_stand_for_millions_of_values_is_refused(tmp_path: Path) -> None:
    levels = ["l0: &l0 [x, x]", *(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 12))]
    project_file(
        tmp_path, "\n".join([*levels, "entry_points: {main: {parameters: {a: {default: *l11}}, command: ls}}"])
    )
    with pytest.raises(ProjectError, match="aliases stand for more than"):
        load_project(tmp_path)


def test_text_that_is_not_utf_8_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "MLproject").write_bytes(b"name: x\ncommand: \xff\n")
    with pytest.raises(ProjectError, match=r"^MLproject:2:10: the text is not UTF-8$"):
        load_project(tmp_path)


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"cannot read the project directory .*nowhere'"):
        load_project(tmp_path / "nowhere")


def test_a_script_of_the_project_is_an_entry_point_without_any_file(tmp_path: Path) -> None:
    (tmp_path / "train.py").touch()
    (tmp_path / "my {best} job.sh").touch()
    project = load_project(tmp_path)

    assert entry_point(project, "train.py").command == "python train.py"
    assert entry_point(project, "my {best} job.sh").command == "bash 'my {{best}} job.sh'"


def test_an_entry_point_that_is_missing_is_answered_with_those_that_are_there(tmp_path: Path) -> None:
    for name in ("train.py", "etl.sh", "notes.txt"):
        (tmp_path / name).touch()
    project = load_project(project_file(tmp_path, "entry_points: {evaluate: {command: ls}}"))

    with pytest.raises(ProjectError) as caught:
        entry_point(project, "evalute")

    assert str(caught.value) == (
        "no entry point 'evalute' in MLproject, did you mean 'evaluate'?; entry points: evaluate; scripts: etl.sh, train.py"
    )
    with pytest.raises(ProjectError, match=r"did you mean 'train.py'\?"):
        entry_point(project, "train")


@pytest.mark.parametrize("name", ["../other.py", "/etc/x.py", "main", "-c"])
def test_a_script_outside_of_the_project_is_no_entry_point(tmp_path: Path, name: str) -> None:
    (tmp_path / "other.py").touch()
    inner = tmp_path / "inner"
    inner.mkdir()
    with pytest.raises(ProjectError, match="no entry point"):
        entry_point(load_project(inner), name)


def test_a_script_of_r_needs_rscript(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fit.R").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProjectError, match="needs the program Rscript"):
        entry_point(load_project(tmp_path), "fit.R")


def test_a_spark_job_is_left_to_a_backend_that_knows_such_jobs(tmp_path: Path) -> None:
    project_file(tmp_path, "name: j\ndatabricks_spark_job: {python_file: job.py, parameters: [a, 1]}")
    project = load_project(tmp_path)

    assert project.spark_job is not None
    assert (project.spark_job.python_file, project.spark_job.parameters) == ("job.py", ("a", "1"))
    with pytest.raises(
        ProjectError, match=r"^MLproject:2: databricks_spark_job: .*only a backend that knows such jobs"
    ):
        entry_point(project, "main")


PUBLISHED = """
name: hyperparam
conda_env: conda.yaml
entry_points:
  # one of the forms in which MLflow's own examples are written
  train:
    parameters:
      training_data: {type: string, default: "https://host.example/winequality-white.csv"}
      epochs: {type: int, default: 32}
      lr: { type: float, default: 1e-2 }
      momentum: {type: Float, default: .0}
      hidden: {type: str, default: 8, help: "units"}
      verbose: {type: bool, default: False}
      scale: {type: numeric, default: null}
    command: "python train.py {training_data}
                                    --batch-size {epochs}
                                    --learning-rate {lr} --momentum {momentum}"
  long:
    parameters:
      max_epochs: {type: int, default: 5}
    command: |
          python mnist.py \\
            --trainer.max_epochs {max_epochs} \\
            --data.root '' \\

  plain:
    command: >
      python main.py
      --fast
"""


def test_the_forms_of_published_examples_are_understood(tmp_path: Path) -> None:
    (tmp_path / "conda.yaml").touch()
    points = load_project(project_file(tmp_path, PUBLISHED)).entry_points

    train = points["train"]
    assert {each.name: each.default for each in train.parameters} == {
        "training_data": "https://host.example/winequality-white.csv",
        "epochs": "32",
        "lr": "1e-2",
        "momentum": "0.0",
        "hidden": "8",
        "verbose": "False",
        "scale": None,
    }
    words = argv(train, checked(train, {"scale": 1}))
    assert words[3:] == ("--batch-size", "32", "--learning-rate", "1e-2", "--momentum", "0.0")
    assert argv(points["long"], checked(points["long"], {})) == (
        *("python", "mnist.py", "--trainer.max_epochs", "5", "--data.root", ""),
    )
    assert argv(points["plain"], ()) == ("python", "main.py", "--fast")
