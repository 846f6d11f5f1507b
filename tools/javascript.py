"""Check the types of the web UI's modules with TypeScript; nothing is built, and nobody needs it to change a page.

    python tools/javascript.py

The types of the libraries come from their own packages, in the versions of `tools/vendor.py`, into `.cache/javascript`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

from vendor import PACKAGES
from venvs import ROOT

HOME = ROOT / ".cache" / "javascript"
STATIC = ROOT / "plugins/ui/src/mlcore_ui/static"
TYPESCRIPT = "typescript@7.0.2"
_UNTYPED = ("axe-core",)


def main() -> int:
    """Check; return the exit code."""
    npm = shutil.which("npm")
    if npm is None:
        wanted = os.environ.get("MLCORE_REQUIRE", "")
        print("types of JavaScript: not checked, npm is not installed")
        return 1 if "all" in wanted.split(",") else 0
    _install(npm)
    config = HOME / "tsconfig.json"
    config.write_text(json.dumps(_config(), indent=2) + "\n", encoding="utf-8")
    return subprocess.run([HOME / "node_modules/.bin/tsc", "--project", config], cwd=ROOT, check=False).returncode


def _install(npm: str) -> None:
    """Install TypeScript and the packages with the types, unless these very versions are there."""
    wanted = [TYPESCRIPT, *(f"{name}@{version}" for name, version in PACKAGES if name not in _UNTYPED)]
    note = HOME / "installed.txt"
    if note.is_file() and note.read_text(encoding="utf-8").split() == wanted:
        return
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True)
    (HOME / "package.json").write_text('{"private": true}\n', encoding="utf-8")
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--silent"]
    subprocess.run([npm, "install", *options, *wanted], cwd=HOME, check=True, timeout=300)
    note.write_text("\n".join(wanted), encoding="utf-8")


def _config() -> dict[str, object]:
    modules = str(HOME / "node_modules")
    return {
        "compilerOptions": {
            "allowJs": True,
            "checkJs": True,
            "noEmit": True,
            "target": "es2022",
            "module": "esnext",
            "moduleResolution": "bundler",
            "lib": ["es2023", "dom", "dom.iterable"],
            "types": [],
            "strict": False,
            "noFallthroughCasesInSwitch": True,
            "skipLibCheck": True,
            "paths": {"*": [f"{modules}/*"]},
        },
        "include": [f"{STATIC}/**/*.js"],
        "exclude": [f"{STATIC}/vendor"],
    }


if __name__ == "__main__":
    sys.exit(main())
