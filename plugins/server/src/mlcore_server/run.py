"""Start the server, and say what a person has to know."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlcore.plugins import Plugins
from mlcore.serving.server import Address, run_server
from mlcore_server.config import ServerConfig

if TYPE_CHECKING:
    from mlcore_server.app import ServerApp


def run(config: ServerConfig, plugins: Plugins) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code.

    Raises SettingsError: it would be open to strangers. StoreUnavailableError: the store does not open.
    """
    os.umask(0o077)  # whatever the server makes, its database too, is for itself
    _private_directory(config.state_dir)
    if config.workers > 1:
        folder = Path(config.state_dir, f"metrics-{os.getpid()}")
        _private_directory(str(folder))
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)  # read when the workers import the library

    def make() -> ServerApp:
        from mlcore_server.app import ServerApp  # it imports prometheus_client, which reads the variable above

        return ServerApp(config, plugins)

    def announce(url: str) -> None:
        click.echo(f"mlcore server is ready: {url}{config.prefix}", err=True)

    return run_server(make, Address(config.host, config.port), workers=config.workers, announce=announce)


def _private_directory(path: str) -> None:
    """Make a directory that nobody else can look into."""
    Path(path).mkdir(mode=0o700, parents=True, exist_ok=True)
