"""Generated faults: a sample of what `make mutants` makes of the implementations in memory is caught by their suites."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
import sourcecode
from mutation import mutants

MODULE = '''
def page(found, size, token=None):
    """Cut a page."""
    if size < 1:
        raise ValueError(f"size {size!r} is too small")
    return sorted(found, key=len)[0:size]
'''
QUICK = ("memory_batch", "memory_environment", "memory_flavor", "memory_registry", "memory_repo")


def test_every_fault_has_a_name_of_its_own_and_changes_what_it_says() -> None:
    made = mutants("page", MODULE)

    names = [mutant.name for mutant in made]
    assert len(set(names)) == len(names)
    assert "page: swap a comparison: size < 1 -> size <= 1" in names
    assert "page: drop the argument key: sorted(found, key=len) -> sorted(found)" in names
    by_name = {mutant.name: vars(mutant.load())["page"] for mutant in made}
    forgetful = by_name["page: forget the order: sorted(found, key=len) -> list(found)"]
    assert forgetful(["bb", "a"], 2) == ["bb", "a"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_suites_catch_a_sample_of_generated_faults() -> None:
    command = [sys.executable, str(sourcecode.ROOT / "tools" / "mutants.py"), "--sample", "24", "--seed", "7"]

    done = subprocess.run([*command, *QUICK], capture_output=True, text=True, check=False, timeout=170)

    counted = re.search(r"^all +(\d+) +(\d+) +(\d+) +(\d+)", done.stdout, re.MULTILINE)
    assert counted is not None, done.stdout + done.stderr
    made, killed, survived, equivalent = map(int, counted.groups())
    assert (made, killed + survived + equivalent) == (24, 24)
    assert survived <= 1, done.stdout
