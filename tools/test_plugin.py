"""Run one plugin's tests in an environment that holds the kernel and that plugin, and no other plugin.

The plugin may name what its tests need besides, other plugins included, in the dependency group `test` of its
pyproject.toml.
"""

from __future__ import annotations

import sys

from venvs import CACHE, ROOT, create, dependency_group, install, plugin_folders, run


def main() -> None:
    """Make the environment afresh and run the tests in it."""
    folders = {folder.name: folder for folder in plugin_folders()}
    if len(sys.argv) != 2 or sys.argv[1] not in folders:
        sys.exit(f"error: expected the name of one plugin: make test-plugin P=... with one of {', '.join(folders)}")
    folder = folders[sys.argv[1]]
    python = create(CACHE / "test-plugin" / folder.name, fresh=True)
    beside = {f"mlcore-{name.replace('_', '-')}": str(each) for name, each in folders.items()}
    needs: list[str] = []
    for need in dependency_group(folder, "test"):
        needs += ["-e", beside[need]] if need in beside else [need]
    install(python, ["-e", f"{ROOT}[testing]", "-e", str(folder), *needs])
    run([python, "-m", "pytest", folder / "tests"], cwd=ROOT)


if __name__ == "__main__":
    main()
