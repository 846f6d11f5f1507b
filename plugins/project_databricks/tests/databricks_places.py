"""How the tests start the stand-in of a workspace, and what they ask of it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

TOKEN = "dapi-right"
CLUSTER = {"spark_version": "15.4.x-scala2.12", "node_type_id": "i3.xlarge", "num_workers": 0}


@frozen
class Standin:
    """The stand-in, and what can be asked of it besides Databricks' API."""

    address: str
    pid: int

    def fail(self, *faults: Mapping[str, object]) -> None:
        self.tell("faults", faults)

    def requests(self) -> list[str]:
        return list(self.tell("requests", ()))

    def bodies(self) -> list[Any]:
        return list(self.tell("bodies", ()))

    def tell(self, what: str, body: Sequence[object]) -> Sequence[Any]:
        with urllib.request.urlopen(f"{self.address}/standin/{what}", data=json.dumps(body).encode()) as answer:
            found: Sequence[Any] = json.loads(answer.read())
            return found


def start_standin(home: Path, port: int = 0) -> tuple[Standin, subprocess.Popen[str]]:
    program = Path(__file__).with_name("databricks_standin.py")
    process = subprocess.Popen([sys.executable, str(program), str(port), str(home)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    found = process.stdout.readline().strip()
    process.stdout.close()
    return Standin(f"http://127.0.0.1:{found}", process.pid), process
