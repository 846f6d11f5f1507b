"""The tags of a run's context, in real processes and real checkouts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from mlcore_context_default.environment import RunContextWarning, given_tags
from mlcore_context_default.git import git_tags, without_credentials
from mlcore_context_default.plugin import run_context

PRINT = "import json\nfrom mlcore_context_default.plugin import run_context\nprint(json.dumps(dict(run_context())))\n"


def git(folder: Path, *arguments: str) -> str:
    identity = {
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b.c",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@b.c",
    }
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **identity},
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "trunk")
    (folder / "train.py").write_text(PRINT)
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    git(folder, "remote", "add", "origin", "https://me:secret@example.org/code.git")
    return folder


def tags_of(*command: str, cwd: Path | None = None) -> dict[str, str]:
    done = subprocess.run([sys.executable, *command], check=True, capture_output=True, text=True, cwd=cwd)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_a_script_in_a_checkout_is_told_with_its_commit(checkout: Path, tmp_path: Path) -> None:
    found = tags_of(str(checkout / "train.py"), cwd=tmp_path)

    assert found["mlflow.source.name"] == str(checkout / "train.py")
    assert found["mlflow.source.type"] == "LOCAL"
    assert found["mlflow.source.git.commit"] == git(checkout, "rev-parse", "HEAD")
    assert found["mlflow.source.git.branch"] == "trunk"
    assert found["mlflow.source.git.dirty"] == "false"
    assert found["mlflow.user"]


def test_a_changed_file_makes_the_state_dirty(checkout: Path) -> None:
    (checkout / "train.py").write_text(PRINT + "# changed\n")

    assert tags_of(str(checkout / "train.py"))["mlflow.source.git.dirty"] == "true"


def test_credentials_are_cut_from_the_repositorys_url(checkout: Path) -> None:
    assert git_tags(checkout)["mlflow.source.git.repoURL"] == "https://example.org/code.git"
    assert without_credentials("git@example.org:a/b.git") == "git@example.org:a/b.git"


def test_a_detached_head_has_a_commit_and_no_branch(checkout: Path) -> None:
    git(checkout, "checkout", "-q", "--detach")

    found = tags_of(str(checkout / "train.py"))

    assert "mlflow.source.git.commit" in found
    assert "mlflow.source.git.branch" not in found


def test_a_worktree_is_a_checkout_too(checkout: Path, tmp_path: Path) -> None:
    git(checkout, "worktree", "add", "-q", str(tmp_path / "tree"), "-b", "side")

    found = git_tags(tmp_path / "tree")

    assert found["mlflow.source.git.branch"] == "side"
    assert found["mlflow.source.git.repoURL"] == "https://example.org/code.git"


def test_a_repository_without_a_commit_gives_no_git_tags(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")

    assert git_tags(tmp_path) == {}


def test_outside_of_a_checkout_there_are_no_git_tags(tmp_path: Path) -> None:
    assert git_tags(tmp_path) == {}


def test_without_git_the_tags_are_left_out(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    found = tags_of(str(checkout / "train.py"))

    assert "mlflow.source.git.commit" not in found
    assert "mlflow.user" in found


def test_a_module_is_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "training.py").write_text(PRINT)

    found = tags_of("-m", "training", cwd=tmp_path)

    assert (found["mlflow.source.name"], found["mlflow.project.entryPoint"]) == ("training", "training")


def test_code_from_the_command_line_and_from_a_prompt_is_told_as_such(tmp_path: Path) -> None:
    assert tags_of("-c", PRINT)["mlflow.source.name"] == "<command line>"
    done = subprocess.run([sys.executable], input=PRINT, check=True, capture_output=True, text=True, cwd=tmp_path)
    assert json.loads(done.stdout)["mlflow.source.name"] == "<stdin>"


def test_the_environment_adds_tags_and_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_RUN_CONTEXT", '{"mlflow.user": "robot", "n": 1}')

    found = run_context()

    assert (found["mlflow.user"], found["n"]) == ("robot", "1")


@pytest.mark.parametrize("text", ["{", "[1]", "plain"])
def test_a_variable_that_is_no_json_object_is_named_and_left_out(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCORE_RUN_CONTEXT", text)

    with pytest.warns(RunContextWarning, match="MLCORE_RUN_CONTEXT is left out: expected a JSON object"):
        assert given_tags() == {}
