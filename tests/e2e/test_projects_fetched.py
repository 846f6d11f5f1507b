"""`mlcore run` of a project on a git server whose input lies on a web server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import projects_git
import pytest
from file_server import file_server
from git_server import git_server

import mlcore

FILE = 'entry_points:\n  main:\n    parameters:\n      data: path\n    command: "cat {data}"\n'


def test_code_and_inputs_come_from_servers_and_nothing_of_them_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLCORE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    repo = projects_git.repository(tmp_path / "served" / "code", {"part/MLproject": FILE})
    with git_server(repo.parent) as server, file_server() as web:
        server.login = "ada:secret"
        web.files["/data/a.csv"] = b"1,2\n"
        uri = server.uri.replace("http://", "http://ada:secret@") + "/code/.git#part"
        command = [sys.executable, "-m", "mlcore.cli", "run", uri, "-v", "main", "-P", f"data={web.uri}/data/a.csv"]
        done = [subprocess.run(command, capture_output=True, text=True, check=False) for _ in range(2)]

    assert [(each.returncode, each.stdout) for each in done] == [(0, "1,2\n")] * 2, done[0].stderr
    assert (server.packs, web.fetched("/data/a.csv")) == (1, 1)
    assert not list((tmp_path / "tmp").iterdir())
    first, second = mlcore.search_runs(output_format="list")
    for run in (first, second):
        assert run.data.tags["mlflow.source.git.commit"] == projects_git.call(repo, "rev-parse", "HEAD")
        assert "secret" not in str(run.data.tags) + str(run.data.params)
