"""The `mlcore` program."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code: 0 done, 1 failed, 2 misuse, 130 interrupted.

    arguments: those of the process by default.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given == ["--version"]:
        # Scripts and prompts ask for the version often; it needs no click, which is most of the start-up time.
        from mlcore import __version__

        print(f"mlcore {__version__}")
        return 0
    from mlcore.cli.program import run

    return run(given)
