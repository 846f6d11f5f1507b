"""The repository as a whole: it names no registry and no machine, holds no secret, and is free software."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import sourcecode

ROOT = sourcecode.ROOT

# Installers know their registry; a repository that names one cannot be built behind a mirror. Put together from
# words, so that this file does not name them either.
REGISTRIES = [
    ".".join(words)
    for words in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("anaconda", "org"),
        ("crates", "io"),
        ("docker", "io"),
        ("ghcr", "io"),
    )
]
# Debian's package of that name is no host: it stands alone, neither part of a longer name nor before a path.
DEBIAN_PACKAGE = re.compile(r"(?<![\w./-])docker\.io(?![\w/.])")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:root|work|opt|Users|home)/(?!\.\.\.)[\w.-]+/[\w.-]+")
# invented paths that examples and tests may speak of
INVENTED_PATH = re.compile(r"/(?:home|Users)/(?:me|you|user|alice|bob|ada)/|/opt/ml/")
SECRET = re.compile(
    r"""(?i)\b\w*(password|passwd|secret|api_?key|access_?key)\w*["']?\s*[:=]\s*["'][^"'{}<>*$\s]{4,}["']"""
)


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z"],
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout: these tests read the list of files from git")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def _lines() -> list[tuple[str, str]]:
    found = []
    for path in _tracked():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [(f"{path.relative_to(ROOT)}:{n}", line) for n, line in enumerate(text.splitlines(), 1)]
    return found


def test_no_file_names_a_package_registry() -> None:
    named = [place for place, line in _lines() if any(host in DEBIAN_PACKAGE.sub("", line) for host in REGISTRIES)]

    assert not named, "\n".join(named)


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    named = [
        f"{place}: {line.strip()[:100]}" for place, line in _lines() if MACHINE_PATH.search(INVENTED_PATH.sub("", line))
    ]

    assert not named, "\n".join(named)


def test_no_file_holds_a_password_or_key() -> None:
    found = [f"{place}: {line.strip()[:100]}" for place, line in _lines() if SECRET.search(line)]

    assert not found, "\n".join(found)


def test_no_lock_file_with_addresses_is_kept() -> None:
    names = {path.name for path in _tracked()}

    assert not names & {"uv.lock", "poetry.lock", "Pipfile.lock"}


def test_no_built_or_stored_data_is_kept() -> None:
    kept = [
        str(path.relative_to(ROOT))
        for path in _tracked()
        if re.search(r"\.(db|pyc|whl|pkl|sqlite3?)$|-journal$|-wal$", path.name)
    ]

    assert not kept, "\n".join(kept)


def test_the_licence_is_apache_2() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")

    manifests = [ROOT / "pyproject.toml", *(folder / "pyproject.toml" for folder in sourcecode.plugin_folders())]

    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert {tomllib.loads(m.read_text("utf-8"))["project"]["license"] for m in manifests} == {"Apache-2.0"}


def test_every_change_note_has_a_kind_that_readers_know() -> None:
    notes = [path.name for path in (ROOT / "changelog.d").iterdir() if path.name != "README.md"]

    odd = [name for name in notes if not re.fullmatch(r"[\w-]+\.(added|changed|fixed|removed)\.md", name)]

    assert not odd, "\n".join(odd)


def test_without_a_python_that_is_new_enough_the_bootstrap_says_what_to_do() -> None:
    done = subprocess.run(
        ["sh", str(ROOT / "tools" / "bootstrap.sh")],
        env={"PATH": "/usr/bin:/bin", "PYTHON": "false"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "error: no Python 3.11 or later found (tried: false)" in done.stderr
    assert "make PYTHON=/path/to/python3.11" in done.stderr
