"""The tags of a run's context, in real processes and real checkouts."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from mlcore_context_default import git as git_module
from mlcore_context_default.environment import RunContextWarning, given_tags
from mlcore_context_default.git import git_tags
from mlcore_context_default.git_files import git_directory, head, without_credentials
from mlcore_context_default.plugin import run_context

from mlcore.testing.run_context import RunContextContract

PRINT = "import json\nfrom mlcore_context_default.plugin import run_context\nprint(json.dumps(dict(run_context())))\n"


class TestDefaultContext(RunContextContract):
    plugin_module = "mlcore_context_default.plugin"

    @pytest.fixture
    def run_context(self) -> Callable[[], Mapping[str, str] | None]:
        return run_context


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


def test_without_git_commit_and_branch_come_from_the_files(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    monkeypatch.setenv("PATH", "/nowhere")

    found = tags_of(str(checkout / "train.py"))

    assert found["mlflow.source.git.commit"] == commit
    assert found["mlflow.source.git.branch"] == "trunk"
    assert found["mlflow.source.git.repoURL"] == "https://example.org/code.git"
    assert "mlflow.source.git.dirty" not in found


@pytest.mark.parametrize("state", ["loose", "packed", "detached", "worktree", "submodule"])
def test_the_files_tell_what_git_tells(state: str, checkout: Path, tmp_path: Path) -> None:
    place = checkout
    if state == "packed":
        git(checkout, "pack-refs", "--all")
    if state == "detached":
        git(checkout, "checkout", "-q", "--detach")
    if state == "worktree":
        place = tmp_path / "tree"
        git(checkout, "worktree", "add", "-q", str(place), "-b", "side")
        git(checkout, "pack-refs", "--all")
    if state == "submodule":
        outer = tmp_path / "outer"
        git(tmp_path, "init", "-q", str(outer))
        git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(checkout), "inner")
        place = outer / "inner"

    directory = git_directory(place)

    branch = git(place, "branch", "--show-current")
    assert directory is not None
    assert head(directory) == (git(place, "rev-parse", "HEAD"), branch)


def test_a_git_that_hangs_or_refuses_is_no_obstacle(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    monkeypatch.setattr(git_module, "_TIMEOUT_S", 0.2)
    for name, text in (("hangs", "exec sleep 5"), ("refuses", "exit 128")):
        program = tmp_path / name / "git"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
        git_module._state.cache_clear()

        found = git_tags(checkout)

        assert found["mlflow.source.git.commit"] == commit
        assert "mlflow.source.git.dirty" not in found


def test_looking_runs_no_program_of_the_repository(checkout: Path, tmp_path: Path) -> None:
    spy = tmp_path / "spy.sh"
    spy.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    spy.chmod(0o755)
    git(checkout, "config", "core.fsmonitor", str(spy))

    git_tags(checkout)

    assert not (tmp_path / "ran").exists()


def test_a_git_hooks_variables_do_not_lead_elsewhere(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    git(tmp_path, "init", "-q", "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))

    assert git_tags(checkout)["mlflow.source.git.commit"] == commit


def test_git_is_asked_once_per_process_and_checkout(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = git_tags(checkout)
    (checkout / "train.py").write_text("# changed\n")
    (checkout / "deep").mkdir()
    monkeypatch.setenv("PATH", "/nowhere")

    assert git_tags(checkout / "deep") == first


def test_at_a_prompt_the_state_is_looked_up_again(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert git_tags(checkout, interactive=True)["mlflow.source.git.dirty"] == "false"
    (checkout / "train.py").write_text("# changed\n")
    monkeypatch.setattr(git_module, "_KEPT_S", 1e-6)

    assert git_tags(checkout, interactive=True)["mlflow.source.git.dirty"] == "true"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:secret@example.org/a/b.git", "https://example.org/a/b.git"),
        ("https://token@example.org:8443/a.git", "https://example.org:8443/a.git"),
        ("https://example.org/a.git?access_token=secret#x", "https://example.org/a.git"),
        ("ssh://git@example.org:22/a.git", "ssh://git@example.org:22/a.git"),
        ("ssh://git:secret@example.org/a.git", "ssh://git@example.org/a.git"),
        ("git@example.org:a/b.git", "git@example.org:a/b.git"),
        ("/srv/git/a.git", "/srv/git/a.git"),
        ("https://[secret@broken", ""),
    ],
)
def test_a_repositorys_url_keeps_no_secret(url: str, shown: str) -> None:
    assert without_credentials(url) == shown


def test_an_installed_module_is_not_taken_for_the_checkout_around_its_environment(
    checkout: Path, tmp_path: Path
) -> None:
    packages = checkout / ".venv" / "lib" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "tool.py").write_text(PRINT)
    done = subprocess.run(
        [sys.executable, "-m", "tool"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(packages)},
    )

    found = json.loads(done.stdout)

    assert found["mlflow.source.name"] == "tool"
    assert "mlflow.source.git.commit" not in found


def test_a_console_script_is_told_by_its_name(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout)
    done = subprocess.run(
        [sys.executable, "-c", LIKE_A_CONSOLE_SCRIPT], check=True, capture_output=True, text=True, cwd=checkout
    )

    found = json.loads(done.stdout)

    assert (found["mlflow.source.name"], found["mlflow.project.entryPoint"]) == ("train-wine", "train-wine")
    assert found["mlflow.source.git.commit"] == git(checkout, "rev-parse", "HEAD")


LIKE_A_CONSOLE_SCRIPT = (
    """
import sys
from pathlib import Path
__file__ = str(Path(sys.executable).parent / "train-wine")
"""
    + PRINT
)

IPYTHON = """
import os, sys
class Shell:
    config = {"IPKernelApp": {}} if os.environ.get("KERNEL") else {}
    user_ns = {"__vsc_ipynb_file__": os.environ["VSC"]} if os.environ.get("VSC") else {}
def get_ipython():
    return Shell()
"""


@pytest.mark.parametrize(
    ("environ", "name", "kind"),
    [
        ({"KERNEL": "1", "JPY_SESSION_NAME": "/data/a/wine.ipynb"}, "/data/a/wine.ipynb", "NOTEBOOK"),
        ({"KERNEL": "1", "VSC": "/data/a/code.ipynb"}, "/data/a/code.ipynb", "NOTEBOOK"),
        ({"KERNEL": "1"}, "<notebook>", "NOTEBOOK"),
        ({}, "<ipython>", "LOCAL"),
    ],
)
def test_a_notebook_and_ipython_are_told_as_such(environ: dict[str, str], name: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / "IPython.py").write_text(IPYTHON)
    (tmp_path / "launcher.py").write_text("import IPython\n" + PRINT)
    done = subprocess.run(
        [sys.executable, "launcher.py"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**{k: v for k, v in os.environ.items() if k != "JPY_SESSION_NAME"}, **environ},
    )

    found = json.loads(done.stdout)

    assert (found["mlflow.source.name"], found["mlflow.source.type"]) == (name, kind)


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
