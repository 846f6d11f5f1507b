"""A program that answers as conda does: `create` makes an interpreter and records of packages, and installs nothing.

The words it was called with are appended to the file that CONDA_STAND_IN_LOG names, one JSON list per call.
"""

from __future__ import annotations

import json
import os
import sys
import venv
from pathlib import Path

# the pip inside: takes over wheels that are named by a file URL, and says no to everything else
PIP = """
import json, os, re, sys, zipfile
from pathlib import Path
from urllib.parse import unquote, urlsplit
with open(os.environ["CONDA_STAND_IN_LOG"], "a") as log:
    log.write(json.dumps(["pip", *sys.argv[1:]]) + "\\n")
for line in Path(sys.argv[sys.argv.index("-r") + 1]).read_text().splitlines():
    name, _, url = line.partition(" @ ")
    if not url.startswith("file:"):
        sys.exit(f"ERROR: No matching distribution found for {line}")
    libraries = Path(__file__).parent.parent
    zipfile.ZipFile(unquote(urlsplit(url).path)).extractall(libraries)
    info = next(libraries.glob(f"{name}-*.dist-info"))
    (info / "direct_url.json").write_text(json.dumps({"url": url.partition("#")[0], "archive_info": {}}))
"""


def main(words: list[str]) -> None:
    """Do what `conda create` is asked for."""
    with Path(os.environ["CONDA_STAND_IN_LOG"]).open("a") as log:
        log.write(json.dumps(words) + "\n")
    prefix = Path(words[words.index("--prefix") + 1])
    rest = words[words.index("--prefix") + 2 :]
    if rest[:1] == ["--file"]:
        urls = Path(rest[1]).read_text().splitlines()[1:]
        wanted = {url.rpartition("/")[2].split("-")[0]: url.partition("#")[0] for url in urls}
    else:
        channels = [rest[i + 1] for i, word in enumerate(rest) if word == "--channel"]
        specs = [w for i, w in enumerate(rest) if not w.startswith("--") and rest[i - 1 : i] != ["--channel"]]
        missing = [spec for spec in specs if spec.startswith("no-such-thing")]
        if missing:
            sys.exit(f"PackagesNotFoundError: The following packages are not available:\n\n  - {missing[0]}")
        base = (channels or ["https://user:hidden@127.0.0.1/main"])[0]
        wanted = {spec.split("=")[0]: f"{base}/noarch/{spec.split('=')[0]}-1.0-0.conda" for spec in specs}
    venv.create(prefix, symlinks=True)
    for name, url in wanted.items():
        (prefix / "conda-meta").mkdir(exist_ok=True)
        record = {"name": name, "version": "1.0", "url": url, "md5": "0" * 32}
        (prefix / "conda-meta" / f"{name}-1.0-0.json").write_text(json.dumps(record))
    for libraries in prefix.glob("lib/python*/site-packages"):
        (libraries / "pip").mkdir()
        (libraries / "pip" / "__main__.py").write_text(PIP)


if __name__ == "__main__":
    main(sys.argv[1:])
