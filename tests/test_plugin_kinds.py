"""`mlcore plugins new`: what it makes is complete, and its contract test passes untouched once it is installed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest
import sourcecode
from own_server import own_server

from mlcore.cli import main
from mlcore.hookspecs import HookSpecs
from mlcore.plugins import hook_names
from mlcore.scaffold import KINDS, generate


def install(source: Path, site: Path) -> None:
    """Build the wheel as its own manifest says, and unpack it as an installer does."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(site.parent / "dist")],
        cwd=source,
        env={**os.environ, "HATCH_QUIET": "2"},
        check=True,
        capture_output=True,
        timeout=60,
    )
    (wheel,) = (site.parent / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(site)


def test_there_is_a_kind_for_every_hook_and_every_protocol() -> None:
    assert {name: kind.hook for name, kind in KINDS.items() if name != kind.hook} == {"authority": "web"}
    assert tuple(name for name, kind in KINDS.items() if name == kind.hook) == hook_names()


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_passes_its_contract_when_it_is_installed(kind: str, tmp_path: Path) -> None:
    made = generate(kind, "acme-thing", tmp_path)
    install(made, tmp_path / "site")
    environ = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}

    def mlcore(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mlcore.cli", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)

    checked = mlcore("plugins", "check", "acme-thing", "--json")
    proven = mlcore("plugins", "kit", str(made), "--json")

    assert json.loads(checked.stdout)["status"] == "ok", checked.stdout
    report = json.loads(proven.stdout)
    assert proven.returncode == 0, [t for t in report["tests"] if t["outcome"] == "failed"]
    assert report["passed"] >= 10
    assert str(tmp_path / "site") in mlcore("plugins", "show", "acme-thing", "--json").stdout


def test_the_server_has_the_page_of_a_new_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(generate("web", "acme-page", tmp_path), tmp_path / "site")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))

    with own_server() as server, urllib.request.urlopen(f"{server.uri}/acme-page", timeout=30) as answer:
        said = answer.read()

    assert said == b"hello from acme-page\n"


def test_the_server_asks_the_authority_of_a_new_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(generate("authority", "acme-gate", tmp_path), tmp_path / "site")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))

    with pytest.raises(urllib.error.HTTPError) as refused, own_server("--auth", "acme-gate"):
        pass  # its first request is nobody's

    refused.value.close()
    assert refused.value.code == 401
    assert refused.value.headers["WWW-Authenticate"] == 'Bearer realm="mlcore"'


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_has_all_that_a_published_one_has(kind: str, tmp_path: Path) -> None:
    made = generate(kind, "Acme_Thing", tmp_path, key="gold")

    written = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    manifest = tomllib.loads((made / "pyproject.toml").read_text())["project"]
    assert written >= {
        "README.md", "pyproject.toml", ".gitignore", ".github/workflows/test.yml", "src/acme_thing/__init__.py",
        "src/acme_thing/py.typed", "src/acme_thing/plugin.py", "tests/test_acme_thing.py",
    }  # fmt: skip
    assert manifest["name"] == "acme-thing"
    assert manifest["entry-points"] == {f"mlcore.{KINDS[kind].hook}": {"gold": "acme_thing.plugin"}}
    assert manifest["dependencies"] == ["mlcore-kernel>=0.1,<0.2"]
    assert hasattr(HookSpecs, KINDS[kind].hook)
    unfilled = [p for p in made.rglob("*") if p.is_file() and re.search(r"@\w+@", p.name + p.read_text())]
    assert unfilled == []


def test_new_says_what_it_wrote_and_what_comes_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["plugins", "new", "run_context", "acme-lab", "--into", str(tmp_path)])

    said = capsys.readouterr()
    assert code == 0
    assert str(tmp_path / "acme-lab" / "src" / "acme_lab" / "plugin.py") in said.out.splitlines()
    assert f"next: pip install -e {tmp_path / 'acme-lab'} && mlcore plugins kit" in said.err


def test_the_kernels_wheel_brings_every_template(tmp_path: Path) -> None:
    folder = sourcecode.ROOT / "mlcore" / "scaffold" / "templates"
    written = {p.relative_to(sourcecode.ROOT).as_posix() for p in folder.rglob("*") if p.is_file()}

    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=sourcecode.ROOT,
        env={**os.environ, "HATCH_QUIET": "2"},
        check=True,
        capture_output=True,
        timeout=60,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        packed = set(file.namelist())

    assert len(written) > 15
    assert written - packed == set()
