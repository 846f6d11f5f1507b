"""The documentation is true: examples run, links lead somewhere, the hook reference is that of the code."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import endpoint_reference
import hook_reference
import pytest
import sourcecode

ROOT = sourcecode.ROOT
Require = Callable[[str, bool, str], None]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PLUGIN_PAGES = [folder / "README.md" for folder in sourcecode.plugin_folders()]

# ```python runs; ```py is shown only.
EXAMPLE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)|!\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def _examples() -> list[tuple[str, str]]:
    found = []
    for page in (*PAGES, *PLUGIN_PAGES):
        for number, code in enumerate(EXAMPLE.findall(page.read_text("utf-8")), 1):
            found.append((f"{page.relative_to(ROOT)}-{number}", code))
    return found


def test_the_hook_reference_is_that_of_the_code() -> None:
    written = hook_reference.TARGET.read_text("utf-8")

    assert written == hook_reference.reference(hook_reference.SOURCE.read_text("utf-8")), "out of date: make hooks"


def test_the_endpoint_reference_is_that_of_the_table() -> None:
    written = endpoint_reference.OUT.read_text("utf-8")

    assert written == endpoint_reference.text(), "out of date: make hooks"


def test_every_hook_says_what_it_returns_what_it_raises_and_since_when() -> None:
    from mlcore.hookspecs import HookSpecs
    from mlcore.plugins import hook_names

    silent = [
        f"{name}: {word}"
        for name in hook_names()
        for word in ("Returns ", "Raises ", "Since ")
        if not re.search(rf"\b{word}", inspect.getdoc(getattr(HookSpecs, name)) or "")
    ]

    assert not silent, "\n".join(silent)


@pytest.mark.parametrize(("name", "code"), _examples(), ids=[name for name, _ in _examples()])
def test_an_example_of_the_documentation_runs(name: str, code: str, tmp_path: Path, require: Require) -> None:
    require("torch", "import torch" not in code or find_spec("torch") is not None, "make torch")
    script = tmp_path / "example.py"
    script.write_text(code, "utf-8")

    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )

    assert done.returncode == 0, f"{name}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("page", [*PAGES, *PLUGIN_PAGES], ids=lambda page: str(page.relative_to(ROOT)))
def test_a_relative_link_leads_to_a_file(page: Path) -> None:
    text = FENCED.sub("", page.read_text("utf-8"))
    targets = [(a or b).partition("#")[0] for a, b in LINK.findall(text) if "://" not in (a or b)]

    broken = [target for target in targets if target and not (page.parent / target).exists()]

    assert not broken, "\n".join(broken)


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text("utf-8")

    missing = [page.name for page in PAGES if page.parent.name == "docs" and f" {page.name}" not in navigation]

    assert not missing, "\n".join(missing)


def test_the_makefile_tells_its_targets() -> None:
    done = subprocess.run(
        ["make", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True, env=dict(os.environ)
    )

    for target in ("dev", "demo", "test", "check", "test-plugin", "wheels", "bench", "docs"):
        assert f"make {target} " in done.stdout
