"""Make `.venv`: the kernel, every plugin and the development tools, editable.

Needs Python 3.11 or later with pip, and nothing else. `MLCORE_BOOTSTRAP_UV=0` keeps to plain pip.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from venvs import ROOT, create, dependency_group, install, plugin_folders

STAMP = ".installed"


def main() -> None:
    """Create or refresh the environment."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv", help="where to make it")
    parser.add_argument("--group", action="append", default=[], help="a further dependency group, such as docs")
    args = parser.parse_args()
    started = time.monotonic()
    python = create(args.venv)
    install(python, everything(["dev", *args.group]))
    (args.venv / STAMP).touch()
    print(f"{args.venv} is ready ({time.monotonic() - started:.0f} s)")


def everything(groups: list[str]) -> list[str]:
    """Return what pip installs for a checkout: all distributions editable, and the tools of *groups*."""
    wanted = ["-e", f"{ROOT}[serve,testing]"]
    for folder in plugin_folders():
        wanted += ["-e", str(folder)]
    for folder in (ROOT, *plugin_folders()):
        wanted += [line for line in dependency_group(folder, "test") if not line.startswith("mlcore-")]
    for group in groups:
        wanted += dependency_group(ROOT, group)
    return wanted


if __name__ == "__main__":
    main()
