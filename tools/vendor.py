"""Fetch the libraries of the web UI: exact versions, checked by the hashes of VENDOR.lock, only the files that are used.

    python tools/vendor.py          fetch what VENDOR.lock names and write the files anew
    python tools/vendor.py --lock   after a version was changed here: take the registry's hash into VENDOR.lock

The files are part of the repository; nobody who installs, builds or changes the UI needs this, or npm.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
APP = ROOT / "plugins/ui/src/mlcore_ui/static/vendor"
TESTS = ROOT / "plugins/ui/tests/vendor"

# package and version: where its files go, and which become what
PACKAGES: dict[tuple[str, str], tuple[Path, dict[str, str]]] = {
    ("preact", "11.2.0"): (APP, {"dist/preact.mjs": "preact.js", "hooks/dist/hooks.mjs": "preact-hooks.js"}),
    ("htm", "3.1.1"): (APP, {"dist/htm.mjs": "htm.js"}),
    ("@preact/signals", "2.11.4"): (APP, {"dist/signals.mjs": "signals.js"}),
    ("@preact/signals-core", "1.14.5"): (APP, {"dist/signals-core.mjs": "signals-core.js"}),
    ("uplot", "1.6.32"): (APP, {"dist/uPlot.esm.js": "uplot.js", "dist/uPlot.min.css": "uplot.css"}),
    ("marked", "18.2.1"): (APP, {"lib/marked.esm.js": "marked.js"}),
    ("axe-core", "4.14.1"): (TESTS, {"axe.min.js": "axe.min.js"}),
}
LICENSES = ("LICENSE", "LICENSE.md", "LICENSE.txt")
LOCK = ROOT / "plugins/ui/VENDOR.lock"
_MAP = re.compile(rb"//# sourceMappingURL=\S+\s*|/\*# sourceMappingURL=.*?\*/\s*")


def main() -> None:
    """Fetch, check and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--lock", action="store_true", help="take the hashes as they are now")
    lock = parser.parse_args().lock
    known = {} if lock else json.loads(LOCK.read_text())["packages"]
    told = {}
    for (name, version), (folder, wanted) in PACKAGES.items():
        package = f"{name}@{version}"
        with tempfile.TemporaryDirectory() as scratch:
            archive = _fetched(package, Path(scratch))
            integrity = _integrity(archive.read_bytes())
            if not lock and known.get(package, {}).get("integrity") != integrity:
                sys.exit(f"error: {package} has the hash {integrity}, and VENDOR.lock another one: nothing was written")
            told[package] = {"integrity": integrity, "files": _extracted(archive, name, folder, wanted)}
    LOCK.write_text(json.dumps({"packages": told}, indent=2, sort_keys=True) + "\n")
    print(f"wrote {sum(len(each['files']) for each in told.values())} files of {len(told)} packages")


def _fetched(package: str, folder: Path) -> Path:
    """Download a package's archive with npm, from the registry that it is set up for."""
    command = ["npm", "pack", "--ignore-scripts", "--silent", package]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    (archive,) = folder.glob("*.tgz")
    return archive


def _integrity(content: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


def _extracted(archive: Path, name: str, folder: Path, wanted: dict[str, str]) -> dict[str, str]:
    """Write the wanted files and the licence; return the SHA-256 of each by its path from plugins/ui."""
    plain = name.removeprefix("@").replace("/", "-")
    hashes = {}
    with tarfile.open(archive) as opened:
        names = set(opened.getnames())
        license_name = next(one for one in LICENSES if f"package/{one}" in names)
        for inside, outside in {**wanted, license_name: f"{plain}.LICENSE.txt"}.items():
            member = opened.extractfile(f"package/{inside}")
            if member is None:
                sys.exit(f"error: {name} has no file {inside!r}")
            target = folder / outside
            content = _without_map(member.read())
            target.write_bytes(content)
            hashes[target.relative_to(LOCK.parent).as_posix()] = hashlib.sha256(content).hexdigest()
    return hashes


def _without_map(content: bytes) -> bytes:
    """Remove the comment that names a source map: the map is not here, and browsers would ask for it."""
    return _MAP.sub(b"", content)


if __name__ == "__main__":
    main()
