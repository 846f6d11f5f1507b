"""The commands about what a model would run and where it comes from."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from attrs import frozen
from sklearn.linear_model import LinearRegression

from mlcore.cli import main
from mlcore.models.saving import save_model
from mlcore.testing.flavor import canary


@frozen
class Done:
    code: int
    out: str
    err: str


Cli = Callable[..., Done]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    def run(*arguments: str) -> Done:
        capsys.readouterr()
        code = main(arguments)
        return Done(code, *capsys.readouterr())

    return run


@pytest.fixture(autouse=True)
def _model(tmp_path: Path) -> None:
    save_model(LinearRegression().fit(np.array([[0.0], [1.0]]), [1.0, 3.0]), tmp_path / "m")


@pytest.fixture
def keys(tmp_path: Path) -> None:
    """The keys that the documentation and the errors say how to make."""
    for command in (
        "openssl ecparam -name prime256v1 -genkey -noout -out key.pem",
        "openssl ec -in key.pem -pubout -out key.pub",
    ):
        subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)


def test_a_model_without_code_is_scanned_and_passes(cli: Cli) -> None:
    done = cli("models", "scan", "m")

    assert (done.code, done.out.splitlines()[1:]) == (0, [])
    assert "1 files scanned: innocuous" in done.err


def test_a_dangerous_model_is_told_and_fails(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "m" / "data.pkl").write_bytes(canary(tmp_path / "x"))

    done = cli("models", "scan", "m")
    told = json.loads(cli("models", "scan", "m", "--json").out)

    assert done.code == 1
    assert "dangerous\tdata.pkl\tos.mkdir" in done.out
    assert "data.pkl: opcodes that import or call: GLOBAL 1, REDUCE 1" in done.err
    assert told["level"] == "dangerous"
    assert told["finds"][0] == {"file": "data.pkl", "what": "os.mkdir", "level": "dangerous"}
    assert not (tmp_path / "x").exists()


def test_a_changed_file_is_told_and_fails(cli: Cli, tmp_path: Path) -> None:
    passed = cli("models", "verify", "m")
    (tmp_path / "m" / "MLmodel").write_text((tmp_path / "m" / "MLmodel").read_text() + "\n")

    failed = cli("models", "verify", "m")
    told = json.loads(cli("models", "verify", "m", "--json").out)

    assert passed.code == 0
    assert "manifest: every file is as it was saved\nsignature: absent" in passed.err
    assert (failed.code, failed.out.splitlines()[-1]) == (1, "changed\tMLmodel")
    assert (told["passed"], told["differences"]) == (False, [{"path": "MLmodel", "state": "changed"}])


@pytest.mark.usefixtures("keys")
def test_a_model_is_signed_and_verified(cli: Cli, tmp_path: Path) -> None:
    signed = cli("models", "sign", "m", "--key", "key.pem")

    assert (signed.code, signed.out) == (0, f"{Path('m/model.sig')}\n")
    assert "signature: valid" in cli("models", "verify", "m", "--key", "key.pub").err
    assert "signature: unchecked; give --key" in cli("models", "verify", "m").err
    (tmp_path / "m" / "model.skops").unlink()
    failed = cli("models", "verify", "m", "--key", "key.pub")
    assert failed.code == 1
    assert "signature: invalid" in failed.err
    assert "missing\tmodel.skops" in failed.out


@pytest.mark.parametrize("command", [["scan"], ["verify"], ["sign", "--key", "k"], ["prove"]])
def test_a_model_that_is_not_there_fails_in_one_line(cli: Cli, command: list[str]) -> None:
    done = cli("models", *command, "nowhere")

    assert (done.code, done.out, len(done.err.splitlines())) == (1, "", 1)
