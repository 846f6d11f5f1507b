"""What every command gets: the global options, and the settings, plugins and client made from them when asked for."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

import click

from mlcore.cli.terminal import Terminal

if TYPE_CHECKING:
    from mlcore.cli.tables import Column
    from mlcore.plugins import Plugins
    from mlcore.settings import Settings
    from mlcore.tracking.client import Client
    from mlcore.tracking.session import Session

F = TypeVar("F", bound=Callable[..., object])


class Cli:
    """One call of the program."""

    def __init__(self, *, tracking_uri: str | None = None, debug: bool = False, no_color: bool = False) -> None:
        """Know the global options; open nothing."""
        self.tracking_uri = tracking_uri
        self.debug = debug
        self.no_color = no_color

    @functools.cached_property
    def terminal(self) -> Terminal:
        """Where results go."""
        return Terminal.of(sys.stdout, no_color=self.no_color)

    @functools.cached_property
    def settings(self) -> Settings:
        """The settings, with the global options as arguments."""
        from mlcore.settings import Settings

        return Settings.load({"tracking_uri": self.tracking_uri})

    @functools.cached_property
    def plugins(self) -> Plugins:
        """The installed plugins."""
        from mlcore.plugins import Plugins

        return Plugins.discover(self.settings)

    @functools.cached_property
    def session(self) -> Session:
        """The session that all of mlcore works with until the program ends."""
        from mlcore.tracking.session import Session, using

        root = click.get_current_context().find_root()
        session = Session(self.settings, self.plugins)
        session.opening_patience_s = self.settings.patience_s  # nobody sits before a server that never answers
        return root.with_resource(using(session))

    @functools.cached_property
    def client(self) -> Client:
        """The client of the tracking store; the store opens at the first call."""
        from mlcore.tracking.client import Client

        return Client(session=self.session)

    def print_json(self, records: Iterable[object]) -> None:
        """Write one strict JSON object per line."""
        from mlcore.wire.plain import dumps

        for record in records:
            click.echo(dumps(record))

    def print_table(self, columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> None:
        """Write a table."""
        from mlcore.cli.tables import table

        for line in table(columns, rows, self.terminal):
            self.terminal.echo(line)

    def print_title(self, text: str) -> None:
        """Write a heading, after an empty line; nothing in a pipe."""
        if self.terminal.is_tty:
            self.terminal.echo()
            self.terminal.echo(self.terminal.style(text, bold=True, underline=True))


pass_cli = click.make_pass_decorator(Cli)


def json_option(function: F) -> F:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")(function)
