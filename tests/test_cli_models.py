from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from attrs import frozen
from sklearn.linear_model import LinearRegression

import mlcore
from mlcore.cli import main
from mlcore.models.pyfunc import save_model as save_function
from mlcore.models.saving import log_model
from mlcore.tracking.session import Session, using

ROWS = {"dataframe_split": {"columns": ["a", "b"], "data": [[1.0, 2], [3.0, 4]]}}


@frozen
class Done:
    code: int
    out: str
    err: str


Cli = Callable[..., Done]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("MLCORE_", "MLFLOW_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    def run(*arguments: str) -> Done:
        capsys.readouterr()
        code = main(arguments)
        return Done(code, *capsys.readouterr())

    return run


@pytest.fixture
def logged() -> str:
    """A model that adds, logged to the run `adder`; its URI by the run's id."""
    frame = pd.DataFrame({"a": [0.0, 1.0, 2.0, 5.0], "b": [1, 0, 3, 4]})
    fitted = LinearRegression().fit(frame, frame.a + frame.b)
    with using(Session()):
        mlcore.set_experiment("sums")
        with mlcore.start_run(run_name="adder"):
            uri: str = log_model(fitted, "model", input_example=frame[:2]).model_uri
    return uri


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_a_shown_model_has_flavors_signature_and_requirements(cli: Cli, logged: str) -> None:
    done = cli("models", "show", logged, "--json")

    shown = json.loads(done.out)
    assert set(shown["flavors"]) == {"python_function", "sklearn"}
    assert shown["signature"]["inputs"] == [
        {"type": "double", "name": "a", "required": True},
        {"type": "long", "name": "b", "required": True},
    ]
    assert any(line.startswith("scikit-learn==") for line in shown["requirements"])
    assert shown["has_example"] is True


def test_a_shown_model_is_a_table_in_a_pipe(cli: Cli, logged: str) -> None:
    rows = [line.split("\t") for line in cli("models", "show", logged).out.splitlines()]

    assert ["made by", f"mlcore {mlcore.__version__}"] in rows
    assert ["input", "b", "long", "yes"] in rows


@pytest.mark.parametrize("word", ["adder", "latest"])
def test_a_model_is_found_by_the_name_of_its_run(cli: Cli, logged: str, word: str) -> None:
    done = cli("models", "show", "-m", f"runs:/{word}/model", "--json")

    assert json.loads(done.out)["model_uri"] == logged


def test_showing_a_model_imports_no_library_of_its_flavor(logged: str) -> None:
    code = f"import sys; from mlcore.cli import main; main(['models', 'show', {logged!r}]); print(sorted(sys.modules))"

    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert "LinearRegression" in out or "scikit-learn" in out
    assert not {"sklearn", "skops", "numpy", "pandas", "starlette"} & set(eval(out.splitlines()[-1]))


def test_a_registered_model_is_shown_and_downloaded(cli: Cli, logged: str, tmp_path: Path) -> None:
    cli("models", "register", logged, "adder", "--alias", "champion")

    shown = json.loads(cli("models", "show", "models:/adder@champion", "--json").out)
    done = cli("models", "download", "models:/adder@champion", "here")

    assert any(line.startswith("scikit-learn==") for line in shown["requirements"])
    assert (done.code, (Path(done.out.strip()) / "MLmodel").is_file()) == (0, True)


def test_a_download_that_differs_from_its_manifest_is_refused(cli: Cli, tmp_path: Path) -> None:
    save_function(tmp_path / "doubler", python_model=double)
    (tmp_path / "doubler" / "requirements.txt").write_text("evil\n")

    done = cli("models", "download", "doubler", "here")

    assert done.code == 1
    assert "'requirements.txt'" in done.err


def test_an_unknown_model_lists_what_there_is(cli: Cli, logged: str) -> None:
    cli("models", "register", logged, "adder")

    for command in (["show", "models:/adder@best"], ["scan", "models:/adder/Production"], ["verify", "models:/odd/1"]):
        done = cli("models", *command)
        assert (done.code, len(done.err.splitlines())) == (1, 1), command
        assert command[1].partition("/")[2].partition("@")[0].partition("/")[0] in done.err


def test_a_path_without_a_model_is_an_error(cli: Cli) -> None:
    done = cli("models", "show", "nowhere")

    assert done.code == 1
    assert "nowhere" in done.err
    assert "MLmodel" in done.err
    assert len(done.err.splitlines()) == 1


def test_predictions_of_a_file_are_printed(cli: Cli, logged: str, tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text(json.dumps(ROWS))

    done = cli("models", "predict", "-m", logged, "-i", "rows.json")

    assert json.loads(done.out)["predictions"] == pytest.approx([3.0, 7.0])


def test_predictions_of_a_csv_are_written(cli: Cli, logged: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("b,a\n2,1\n4,3\n")

    done = cli("models", "predict", "-m", logged, "-i", "rows.csv", "-o", "out.json", "--env-manager", "local")

    assert (done.code, done.out) == (0, "")
    assert json.loads((tmp_path / "out.json").read_text())["predictions"] == pytest.approx([3.0, 7.0])


def test_predictions_go_from_parquet_to_parquet_and_csv(cli: Cli, logged: str) -> None:
    pd.DataFrame({"a": [1.0, 3.0], "b": [2, 4]}).to_parquet("rows.parquet")

    assert cli("models", "predict", "-m", logged, "-i", "rows.parquet", "-o", "out.parquet").code == 0
    assert cli("models", "predict", "-m", logged, "-i", "rows.parquet", "-o", "out.csv").code == 0

    assert pd.read_parquet("out.parquet")["predictions"].tolist() == pytest.approx([3.0, 7.0])
    assert pd.read_csv("out.csv")["predictions"].tolist() == pytest.approx([3.0, 7.0])


def test_predictions_of_a_table_from_standard_input_are_written_to_standard_output(logged: str) -> None:
    command = [sys.executable, "-m", "mlcore.cli", "models", "predict", "-m", logged, "-t", "parquet"]
    body = pd.DataFrame({"a": [1.0, 3.0], "b": [2, 4]}).to_parquet()

    done = subprocess.run([*command, "--output-type", "csv"], input=body, capture_output=True, check=True)

    assert done.stdout.decode().splitlines()[0] == "predictions"
    assert [float(line) for line in done.stdout.split()[1:]] == pytest.approx([3.0, 7.0])


def test_a_table_that_is_cut_off_is_refused(cli: Cli, logged: str, tmp_path: Path) -> None:
    (tmp_path / "rows.parquet").write_bytes(pd.DataFrame({"a": [1.0], "b": [2]}).to_parquet()[:-8])

    done = cli("models", "predict", "-m", logged, "-i", "rows.parquet")

    assert (done.code, done.out) == (1, "")
    assert "is not a parquet file, or was cut off" in done.err


def test_parquet_without_its_library_names_the_pip_line(
    cli: Cli, logged: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rows.parquet").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    assert "pip install pyarrow" in cli("models", "predict", "-m", logged, "-i", "rows.parquet").err


def test_predictions_of_standard_input_are_printed(logged: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mlcore.cli", "models", "predict", "-m", logged],
        input=json.dumps(ROWS),
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(done.stdout)["predictions"] == pytest.approx([3.0, 7.0])


def test_data_that_does_not_fit_fails_in_one_line(cli: Cli, logged: str, tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text('{"inputs": {"a": ["x"]}}')

    done = cli("models", "predict", "-m", logged, "-i", "rows.json")

    assert done.code == 1
    assert "column 'b' is missing (expected long)" in done.err
    assert len(done.err.splitlines()) == 1


def test_a_missing_input_file_is_named(cli: Cli, logged: str) -> None:
    done = cli("models", "predict", "-m", logged, "-i", "nope.json")

    assert (done.code, done.err) == (1, "error: 'nope.json': no such file or directory\n")


def double(model_input: list[float]) -> list[float]:
    return [2 * value for value in model_input]


def test_a_model_with_code_runs_only_when_it_is_trusted(cli: Cli, tmp_path: Path) -> None:
    save_function(tmp_path / "doubler", python_model=double)
    (tmp_path / "rows.json").write_text('{"inputs": [1.5]}')

    refused = cli("models", "predict", "-m", "doubler", "-i", "rows.json")
    trusted = cli("models", "predict", "-m", "doubler", "-i", "rows.json", "--trust")

    assert refused.code == 1
    assert "trust" in refused.err
    assert (trusted.code, trusted.out) == (0, '{"predictions":[3.0]}\n')


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_model_is_served_until_it_is_told_to_stop(
    logged: str, started: list[subprocess.Popen[str]], workers: str
) -> None:
    command = [sys.executable, "-m", "mlcore.cli", "models", "serve", "-m", logged, "-p", "0", "-w", workers]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    started.append(process)
    assert process.stdout is not None
    ready = process.stdout.readline()

    found = re.fullmatch(r"ready: (http://127\.0\.0\.1:\d+)\n", ready)
    assert found, ready
    request = urllib.request.Request(
        f"{found[1]}/invocations", json.dumps(ROWS).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        predictions = json.load(answer)["predictions"]
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)

    assert predictions == pytest.approx([3.0, 7.0])
    assert (process.returncode, err) == (0, "")


def test_serving_a_model_that_is_not_there_fails_in_one_line(cli: Cli) -> None:
    done = cli("models", "serve", "-m", "nowhere", "-p", "0")

    assert done.code == 1
    assert done.out == ""
    assert "nowhere" in done.err


def test_serving_without_a_server_says_what_to_install(cli: Cli, logged: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)

    done = cli("models", "serve", "-m", logged, "-p", "0")

    assert (done.code, done.err) == (
        1,
        "error: serving a model needs an ASGI server: pip install 'mlcore-kernel[serve]'\n",
    )


def test_serving_beyond_this_machine_says_that_nobody_is_asked_for_credentials(cli: Cli) -> None:
    done = cli("models", "serve", "-m", "nowhere", "-h", "0.0.0.0", "-p", "0")

    assert "whoever reaches 0.0.0.0 can use the model" in done.err
