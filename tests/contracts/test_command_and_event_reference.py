"""A good command and a good listener keep their contracts."""

from __future__ import annotations

import click
import pytest

from mlcore.hookspecs import Event
from mlcore.testing import CommandContract, EventContract
from mlcore.testing.event import Listener


@click.group("demo")
def demo() -> None:
    """Show what a command looks like."""


@demo.command("say-hello")
@click.option("--name", default="you")
def say_hello(name: str) -> None:
    """Greet somebody."""
    click.echo(f"hello {name}")


class TestGoodCommand(CommandContract):
    @pytest.fixture
    def command(self) -> click.Command:
        return demo


class TestGoodListener(EventContract):
    @pytest.fixture
    def listener(self) -> Listener:
        heard: list[Event] = []
        return heard.append
