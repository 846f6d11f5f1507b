"""`mlcore ui`: a server on this machine's store, and the browser that looks at it."""

from __future__ import annotations

import ipaddress
import os
import re
import signal
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Iterator

import click

from mlcore.cli.context import Cli, pass_cli
from mlcore.errors import PluginError

_READY = re.compile(r"mlcore server is ready: (\S+)")
_PROGRAM = "from mlcore.cli import main; raise SystemExit(main())"


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("-p", "--port", type=click.IntRange(0, 65535), default=5000, show_default=True, help="0: any free port.")
@click.option("-h", "--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--browser/--no-browser", default=True, show_default=True, help="Whether to open the browser.")
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
@pass_cli
def ui(cli: Cli, port: int, host: str, browser: bool, options: tuple[str, ...]) -> None:
    """Look at runs and models in the browser.

    Starts `mlcore server` on the tracking URI of the settings and opens the pages. Further OPTIONS are the server's,
    such as `--backend-store-uri sqlite:///other.db`. Ends with Ctrl+C.

    The server listens to this machine alone and asks for no login, unless there are users already in the state
    directory of the store (mlcore-auth-basic), or `--auth` says otherwise. To other machines (`--host`) it listens as
    `mlcore server` does: with a login.
    """
    if not any(entry.hook == "command" and entry.key == "server" for entry in cli.plugins.installed()):
        raise PluginError("the pages need a server: pip install mlcore-server")
    command = [sys.executable, "-c", _PROGRAM, "server", "--host", host, "--port", str(port), "--no-access-log"]
    if not _says(options, "--backend-store-uri"):
        command += ["--backend-store-uri", cli.settings.tracking_uri]
    if _is_own_machine(host) and "MLCORE_SERVER_AUTH" not in os.environ and not _says(options, "--auth"):
        command += ["--auth", "local"]
    with subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True) as server:  # noqa: S603  # our own program, no shell
        signal.signal(signal.SIGTERM, lambda *_: server.terminate())
        try:
            _watch(server, open_browser=browser)
        except KeyboardInterrupt:
            # the terminal has told the server too
            server.wait()
    click.get_current_context().exit(max(server.returncode, 0))


def _says(options: tuple[str, ...], name: str) -> bool:
    return any(option == name or option.startswith(f"{name}=") for option in options)


def _is_own_machine(host: str) -> bool:
    """Whether only programs of this machine reach a server that listens there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _watch(server: subprocess.Popen[str], *, open_browser: bool) -> None:
    """Pass on what the server says; open the browser once it is ready."""
    for line in _lines(server):
        found = _READY.search(line)
        if found is None:
            click.echo(line, err=True, nl=False)
            continue
        address = f"{found[1]}/ui/"
        click.echo(f"mlcore ui is ready: {address}", err=True)
        if open_browser:
            # a browser may take its time, or not return
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


def _lines(server: subprocess.Popen[str]) -> Iterator[str]:
    assert server.stderr is not None  # noqa: S101  # asked for above
    yield from server.stderr
