"""The contract suite of commands of the `mlcore` program.

To use it, inherit in a test module and give a fixture `command`, what the hook returns:

    class TestMyCommand(CommandContract):
        plugin_module = "mlcore_my_command.plugin"

        @pytest.fixture
        def command(self) -> Command | None:
            return my_plugin.command("mine")
"""

# ruff: noqa: D102  # the names of tests are sentences, which say it all
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

import pytest

from mlcore.testing.plugin_module import PluginModuleContract


@runtime_checkable
class ClickCommand(Protocol):
    """The part of a click command that the program uses."""

    name: str | None

    def main(self, args: Sequence[str], prog_name: str) -> object:
        """Parse and run; ends with SystemExit."""
        ...

    def get_short_help_str(self, limit: int = 45) -> str:
        """Return the line for the list of commands."""
        ...


def _all(command: ClickCommand, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], ClickCommand]]:
    yield path, command
    inner = getattr(command, "commands", {})
    for name, each in inner.items() if isinstance(inner, Mapping) else ():
        yield from _all(each, (*path, name))


def run(command: ClickCommand, *arguments: str) -> int:
    """Run *command*; return its exit code."""
    try:
        command.main(arguments, command.name or "")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


class CommandContract(PluginModuleContract):
    """Everything that the program relies on in a command."""

    def test_the_hook_returns_a_click_command(self, command: ClickCommand) -> None:
        assert isinstance(command, ClickCommand)

    def test_names_are_lower_case_words_with_hyphens(self, command: ClickCommand) -> None:
        for path, each in _all(command):
            for name in (*path, each.name or ""):
                assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name), name

    def test_every_command_says_in_one_line_what_it_does(self, command: ClickCommand) -> None:
        for path, each in _all(command):
            assert each.get_short_help_str(80).strip(), f"no help for {path or each.name}"

    def test_help_ends_well_for_every_command(self, command: ClickCommand, capsys: pytest.CaptureFixture[str]) -> None:
        for path, _ in _all(command):
            assert run(command, *path, "--help") == 0
            shown = capsys.readouterr()
            assert "Usage:" in shown.out
            assert shown.err == ""

    def test_an_unknown_option_is_named_and_ends_with_two(
        self, command: ClickCommand, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(command, "--no-such-option") == 2
        shown = capsys.readouterr()
        assert "--no-such-option" in shown.err
        assert shown.out == ""
