"""How the tests start the stand-in of Ray's dashboard, and what they ask of it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import frozen

STANDIN_TOKEN = "a-token"


@frozen
class Standin:
    """The stand-in, and what can be asked of it besides Ray's API."""

    address: str
    pid: int
    home: Path

    def fail(self, *faults: Mapping[str, object]) -> None:
        self.tell("faults", faults)

    def forget(self) -> None:
        self.tell("forget", ())

    def requests(self) -> list[str]:
        found: list[str] = self.tell("requests", ())
        return found

    def tell(self, what: str, body: Sequence[object]) -> list[str]:
        with urllib.request.urlopen(f"{self.address}/standin/{what}", data=json.dumps(body).encode()) as answer:
            found: list[str] = json.loads(answer.read())
            return found


def start_standin(home: Path, port: int = 0) -> tuple[Standin, subprocess.Popen[str]]:
    program = Path(__file__).with_name("ray_standin.py")
    process = subprocess.Popen([sys.executable, str(program), str(port), str(home)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    found = process.stdout.readline().strip()
    process.stdout.close()
    return Standin(f"http://127.0.0.1:{found}", process.pid, home), process
