"""Webhooks leave from the program and from the server; `mlcore webhooks` shows what failed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from standardwebhooks import Webhook
from webhook_receiver import PATIENCE_S, SIGNER, Receiver, receiving, variables

from mlcore import Client
from mlcore.settings import Settings
from mlcore.tracking.session import Session, using

_PROGRAM = "from mlcore.cli import main; raise SystemExit(main())"
_READY = re.compile(r"mlcore server is ready: (\S+)")


def environment(folder: Path, receiver: Receiver, **more: str) -> dict[str, str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith(("MLCORE_", "MLFLOW_"))}
    state = {"XDG_STATE_HOME": str(folder / "state"), "MLCORE_TRACKING_URI": f"sqlite:///{folder}/mlcore.db"}
    return {**given, **variables(receiver.url, **more), **state}


def mlcore(environ: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _PROGRAM, *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=PATIENCE_S * 2, check=False)


def told(receiver: Receiver) -> list[tuple[str, object, object]]:
    """What arrived, verified: names, who told it, and where it went."""
    found = [Webhook(SIGNER).verify(body, headers) for headers, body in receiver.requests]
    return sorted((one["type"], one["data"]["told_by"], one["data"].get("to")) for one in found)


def make_model(folder: Path) -> None:
    settings = Settings.load({"tracking_uri": f"sqlite:///{folder}/mlcore.db"}, environ={}, directory=folder)
    with using(Session(settings)):
        client = Client()
        client.create_registered_model("wine")
        client.create_model_version("wine", str(folder))


def test_a_promotion_by_the_program_arrives_before_it_ends(tmp_path: Path) -> None:
    make_model(tmp_path)
    with receiving() as receiver:
        environ = environment(tmp_path, receiver)
        done = mlcore(environ, "models", "promote", "models:/wine/1", "--alias", "champion")

        assert done.returncode == 0, done.stderr
        assert told(receiver) == [("alias_moved", "client", "1")]


def test_the_program_lists_tries_and_shows_what_failed(tmp_path: Path) -> None:
    with receiving() as receiver:
        environ = environment(tmp_path, receiver)
        listed = mlcore(environ, "webhooks", "list", "--json")
        tried = mlcore(environ, "webhooks", "try")
        receiver.answers = [(500, {})]
        failed = mlcore(environ, "webhooks", "try")
        none = mlcore(environ, "webhooks", "failures")
        make_model(tmp_path)
        receiver.answers = [(500, {})]
        mlcore({**environ, "MLCORE_WEBHOOK_ATTEMPTS": "1"}, "models", "promote", "models:/wine/1", "--alias", "a")
        shown = mlcore(environ, "webhooks", "failures", "--json")

    assert json.loads(listed.stdout)["endpoint"].endswith("/...")
    assert (tried.returncode, tried.stdout.split("\t")[1]) == (0, "delivered\n")
    assert (failed.returncode, failed.stdout.split("\t")[1]) == (1, "status 500\n")
    assert (none.returncode, none.stderr) == (0, "nothing has failed\n")
    record = json.loads(shown.stdout)
    assert (shown.returncode, record["event"], record["problem"]) == (1, "alias_moved", "status 500")


@contextmanager
def server(folder: Path, environ: Mapping[str, str], workers: str) -> Iterator[str]:
    command = [
        sys.executable,
        "-c",
        _PROGRAM,
        "server",
        "--port",
        "0",
        "--auth",
        "none",
        "--workers",
        workers,
        "--state-dir",
        str(folder / "own"),
    ]
    process = subprocess.Popen(
        [*command, "--backend-store-uri", environ["MLCORE_TRACKING_URI"]],
        env=environ,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        lines: list[str] = []
        for line in process.stderr:
            lines.append(line)
            found = _READY.search(line)
            if found:
                break
        else:
            pytest.fail("".join(lines))
        rest = threading.Thread(target=process.stderr.read)
        rest.start()
        yield found[1]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
        rest.join()
        process.stderr.close()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_tells_what_its_clients_do_and_ends_with_nothing_left(tmp_path: Path, workers: str) -> None:
    make_model(tmp_path)
    with receiving() as receiver:
        receiver.answers = [(500, {})]  # the only attempt before the server ends, which tries once more
        environ = environment(tmp_path, receiver, FIRST_DELAY_S="1000", EXIT_S="20")
        plain = {name: value for name, value in environ.items() if "WEBHOOK" not in name}
        with server(tmp_path, environ, workers) as url:
            done = mlcore(
                {**plain, "MLCORE_TRACKING_URI": url}, "models", "promote", "models:/wine/1", "--alias", "champion"
            )
            assert done.returncode == 0, done.stderr
            receiver.wait_for(1)

        assert told(receiver) == [("alias_moved", "server", "1")] * 2
        assert len({headers["webhook-id"] for headers, _ in receiver.requests}) == 1
