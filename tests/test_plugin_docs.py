"""The pages on plugins are true: the tutorial's plugin is made, installed and proven; the generated pages are up to date."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import plugin_reference
import sourcecode

from mlcore.scaffold import KINDS

PAGES = sourcecode.ROOT / "docs" / "plugins"
FILE = re.compile(r'^```py title="([^"]+)"\n(.*?)^```', re.MULTILINE | re.DOTALL)


def test_the_generated_pages_are_those_of_the_code() -> None:
    stale = [
        path.name
        for path, text in plugin_reference.pages().items()
        if not path.exists() or path.read_text("utf-8") != text
    ]

    assert stale == [], "out of date: make hooks"


def test_every_protocol_has_a_page_with_its_methods() -> None:
    for name, kind in KINDS.items():
        if kind.protocol:
            page = (PAGES / f"{name}.md").read_text("utf-8")
            assert page.startswith(f"# {kind.protocol}\n")
            assert "## Required methods" in page
            assert f"(../hooks.md#{kind.hook})" in page
            assert f"`mlcore plugins new {name} NAME`" in page


def test_the_index_of_plugins_and_the_readme_name_all_that_there_is() -> None:
    index, readme = (PAGES / "index.md").read_text("utf-8"), (sourcecode.ROOT / "README.md").read_text("utf-8")

    assert [p.name for p in PAGES.glob("*.md") if f"({p.name})" not in index and p.name != "index.md"] == []
    assert [
        f.name for f in sourcecode.plugin_folders() if f"| `mlcore-{f.name.replace('_', '-')}` |" not in readme
    ] == []


def test_every_page_on_plugins_is_in_the_navigation() -> None:
    navigation = (sourcecode.ROOT / "mkdocs.yml").read_text("utf-8")

    assert [p.name for p in PAGES.glob("*.md") if f" plugins/{p.name}" not in navigation] == []


def test_the_tutorial_grows_a_plugin_that_is_installed_and_proven(tmp_path: Path) -> None:
    page = (PAGES / "tutorial.md").read_text("utf-8")
    environ = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}

    def run(*command: str, cwd: Path = tmp_path, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *command],
            cwd=cwd,
            env={**environ, **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    command = re.search(r"^mlcore (plugins new .*)$", page, re.MULTILINE)
    assert command is not None
    made = run("mlcore.cli", *command[1].split())
    files = FILE.findall(page)
    for name, code in files:
        (tmp_path / "acme-shelf" / name).write_text(code, "utf-8")
    built = run("hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist"), cwd=tmp_path / "acme-shelf")
    (wheel,) = (tmp_path / "dist").glob("acme_shelf-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    checked = run("mlcore.cli", "plugins", "check", "acme-shelf", "--json")
    proven = run("mlcore.cli", "plugins", "kit", "acme-shelf", "--json")
    used = run(
        "timeit", "-n1", "-r1", "import mlcore; mlcore.log_text('sunny', 'notes/weather.txt'); mlcore.end_run()",
        MLCORE_ARTIFACT_ROOT=f"shelf://{tmp_path}/oak",
    )  # fmt: skip

    assert (made.returncode, built.returncode, used.returncode) == (0, 0, 0), made.stderr + built.stderr + used.stderr
    assert [name for name, _ in files] == [
        "src/acme_shelf/repo.py",
        "src/acme_shelf/plugin.py",
        "tests/test_acme_shelf.py",
    ]
    assert json.loads(checked.stdout)["status"] == "ok", checked.stdout
    assert json.loads(proven.stdout)["ok"], [t for t in json.loads(proven.stdout)["tests"] if t["outcome"] == "failed"]
    assert list((tmp_path / "oak").rglob("*.sqlite"))
