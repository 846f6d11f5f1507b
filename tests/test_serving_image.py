"""Images that serve a model: what they are built from, and what is refused before anything is built."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from attrs import frozen
from sklearn.linear_model import LinearRegression

from mlcore.cli import main
from mlcore.errors import (
    AlreadyExistsError,
    InvalidParameterError,
    MissingDependencyError,
    MlcoreError,
    UntrustedModelError,
)
from mlcore.models import pyfunc
from mlcore.models.manifest import write_manifest
from mlcore.models.saving import save_model
from mlcore.models.verifying import verify
from mlcore.serving.image import ImageOptions, build, write_context


@frozen
class Done:
    code: int
    out: str
    err: str


@pytest.fixture
def model(tmp_path: Path) -> Path:
    save_model(LinearRegression().fit(np.array([[0.0], [1.0]]), [1.0, 3.0]), tmp_path / "m")
    return tmp_path / "m"


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    def run(*arguments: str) -> Done:
        capsys.readouterr()
        code = main(arguments)
        return Done(code, *capsys.readouterr())

    return run


def instructions(dockerfile: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in dockerfile.read_text().splitlines():
        name, _, rest = line.partition(" ")
        found.setdefault(name, []).append(rest)
    return found


def test_a_context_holds_the_model_its_requirements_and_a_dockerfile_of_argument_lists(model: Path) -> None:
    dockerfile = write_context(model, "context", ImageOptions(base="python:3.12-slim"))

    found = instructions(dockerfile)
    lines = Path("context/requirements.txt").read_text().splitlines()
    assert found["FROM"] == ["python:3.12-slim"]
    assert json.loads(found["ENTRYPOINT"][0]) == ["python", "-m", "mlcore.serving.container"]
    assert json.loads(found["CMD"][0]) == ["serve"]
    assert [json.loads(each)[:4] for each in found["RUN"]] == [["python", "-m", "pip", "install"]]
    assert all(isinstance(json.loads(each), list) for each in found["COPY"])
    assert lines[0].startswith("mlcore-kernel[serve]==")
    assert {line.partition("==")[0] for line in lines} >= {"mlcore-flavor-sklearn", "scikit-learn"}
    assert verify("context/model").passed
    assert not any("TRUST" in each for each in found["ENV"])


def test_the_base_image_is_of_the_python_that_saved_the_model(model: Path) -> None:
    described = model / "MLmodel"
    lines = ["    python_version: 3.13.1" if "python_version" in t else t for t in described.read_text().splitlines()]
    described.write_text("\n".join(lines))
    write_manifest(model)

    assert instructions(write_context(model, "context"))["FROM"] == ["python:3.13-slim"]


def test_a_model_with_code_gets_into_an_image_that_trusts_it_or_into_none(tmp_path: Path) -> None:
    pyfunc.save_model("code", python_model=lambda model_input: model_input)

    with pytest.raises(UntrustedModelError):
        write_context("code", "context")
    assert not Path("context").exists()
    found = instructions(write_context("code", "context", ImageOptions(trust=True)))

    assert "MLCORE_TRUST_MODELS=/opt/ml/model" in found["ENV"]


@pytest.mark.parametrize(
    "line",
    [
        "--index-url http://127.0.0.1/simple",
        "-e .",
        "evil @ http://127.0.0.1/evil.whl",
        "./evil",
        "/tmp/evil.whl",
        "evil==1 --global-option=x",
        "evil==1; python_version>'3' --hash=x",
        "evil \\",
    ],
)
def test_a_requirement_of_another_place_needs_trust(model: Path, line: str) -> None:
    with (model / "requirements.txt").open("a") as file:
        file.write(line + "\n")
    write_manifest(model)

    with pytest.raises(InvalidParameterError, match="names another place than the index"):
        write_context(model, "context")
    write_context(model, "context", ImageOptions(trust=True))

    assert line in Path("context/requirements.txt").read_text().splitlines()


@pytest.mark.parametrize(
    "line", ["a", "a[b,c]>=1.0,<2", "A.b_c == 1.0+cu121", "a~=1.4; python_version < '3.12'", "a (>=1)"]
)
def test_a_requirement_of_the_index_needs_none(model: Path, line: str) -> None:
    with (model / "requirements.txt").open("a") as file:
        file.write(line + "\n")
    write_manifest(model)

    write_context(model, "context")

    assert line in Path("context/requirements.txt").read_text().splitlines()


def test_a_link_out_of_the_model_does_not_get_into_an_image(model: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (model / "link").symlink_to(tmp_path / "secret")

    with pytest.raises(MlcoreError, match="link"):
        write_context(model, "context")


@pytest.mark.parametrize("name", ["python:3\nRUN evil", "-x", "a b", ""])
def test_a_name_that_is_none_is_refused(model: Path, name: str) -> None:
    if name:
        with pytest.raises(InvalidParameterError, match="base image"):
            write_context(model, "context", ImageOptions(base=name))
    with pytest.raises(InvalidParameterError, match="invalid name of an image"):
        build("context", name)


def test_a_context_is_not_written_over_something_else(model: Path) -> None:
    Path("context").mkdir()
    Path("context/mine").touch()

    with pytest.raises(AlreadyExistsError, match="context"):
        write_context(model, "context")


def test_wheels_come_along(model: Path) -> None:
    Path("dist").mkdir()
    Path("dist/a-1-py3-none-any.whl").touch()

    found = instructions(write_context(model, "context", ImageOptions(wheels="dist")))

    assert Path("context/wheels/a-1-py3-none-any.whl").is_file()
    install, (_, place) = json.loads(found["RUN"][0]), json.loads(found["COPY"][1])
    assert install[install.index("--find-links") + 1] == place


def test_a_changed_model_gets_into_no_image(cli: Callable[..., Done], model: Path) -> None:
    (model / "requirements.txt").write_text("evil\n")

    done = cli("models", "build-image", "m", "--no-build", "--context", "context")

    assert done.code == 1
    assert "'requirements.txt'" in done.err


def test_the_command_writes_a_context_and_says_where(cli: Callable[..., Done], model: Path) -> None:
    done = cli("models", "build-image", "m", "--no-build", "--context", "context")

    assert (done.code, done.out) == (0, f"{Path('context/Dockerfile')}\n")


def test_without_an_engine_the_command_says_what_else_can_be_done(
    cli: Callable[..., Done], model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(MissingDependencyError, match="needs the program 'docker'"):
        build(model, "m:1")
    assert "--no-build --context DIRECTORY" in cli("models", "build-image", "m", "--tag", "m:1").err


def test_a_build_gets_its_arguments_as_they_are_and_its_failure_is_told(
    cli: Callable[..., Done], model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "podman"
    program.write_text(
        '#!/bin/sh\nfor each; do echo "$each" >> called; done\necho said\n[ -f fail ] && exit 3\nexit 0\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    command = ("models", "build-image", "m", "--tag", "m:1", "--engine", "podman", "--build-arg=--label=$(x)")

    built = cli(*command, "--context", "one")
    Path("fail").touch()
    failed = cli(*command, "--context", "two")

    assert (built.code, built.out) == (0, "m:1\n")
    assert Path("called").read_text().splitlines()[:5] == ["build", "--label=$(x)", "--tag", "m:1", "one"]
    assert (failed.code, failed.out) == (1, "")
    assert "podman could not build 'm:1' (exit code 3): said" in failed.err
