"""Install PyTorch and Lightning into the development environment, as the tests of flavor_pytorch pin them.

They are not among what `make dev` installs: on most machines the package index's PyTorch is several gigabytes.
"""

from __future__ import annotations

import subprocess

from venvs import ROOT, dependency_group, python_of, run

FOLDER = ROOT / "plugins" / "flavor_pytorch"


def main() -> None:
    """Install what is missing; by pip, whose configuration says where PyTorch comes from."""
    python = python_of(ROOT / ".venv")
    wanted = dependency_group(FOLDER, "torch")
    loose = [line for line in wanted if "==" not in line]
    if loose or not wanted:
        raise SystemExit(
            f"error: group torch of {FOLDER / 'pyproject.toml'} must pin every version: {loose or 'it is empty'}"
        )
    pins = [line.split("==") for line in wanted]
    code = "import sys; from importlib.metadata import version; print(*(version(name) for name in sys.argv[1:]))"
    names = [name for name, _ in pins]
    found = subprocess.run([str(python), "-c", code, *names], capture_output=True, text=True, check=False)
    # a build for one kind of machine adds to its version: 2.13.0+cpu
    if [each.partition("+")[0] for each in found.stdout.split()] == [version for _, version in pins]:
        print(f"{', '.join(wanted)}: installed")
        return
    run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted])
    print(f"{', '.join(wanted)}: installed now")


if __name__ == "__main__":
    main()
