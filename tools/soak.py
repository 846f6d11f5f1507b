"""Kill recording and delivering processes thousands of times: `make soak N=5000`; see crash_rounds.py."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

STORES = ("sqlite:///soak.db", "file:soak")


def main() -> None:
    """Do so many rounds at every store; end with 1 when one of them lost, doubled or mixed anything."""
    rounds = sys.argv[1] if len(sys.argv) > 1 else "3000"
    program = Path(__file__).with_name("crash_rounds.py")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLCORE_", "MLFLOW_"))}
    codes = []
    for store in STORES:
        with tempfile.TemporaryDirectory(prefix="mlcore-soak-") as folder:
            print(f"soak: {rounds} rounds at {store}", flush=True)
            command = [sys.executable, str(program), "--rounds", rounds, "--store", store]
            codes.append(subprocess.run(command, cwd=folder, env=kept, check=False).returncode)
    sys.exit(1 if any(codes) else 0)


if __name__ == "__main__":
    main()
