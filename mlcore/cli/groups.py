"""Groups of commands that are imported when they are used, and that say what was meant."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mlcore.plugins import Plugins


class AliasGroup(click.Group):
    """A group whose commands may have second names, and that suggests one for a name it does not know."""

    aliases: Mapping[str, str] = {}

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name or second name."""
        return super().get_command(ctx, self.aliases.get(cmd_name, cmd_name))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments start with.

        Raises click.UsageError: there is none; the message says which was meant, or where to look.
        """
        name = args[0]
        command = self.get_command(ctx, name)
        if command is None and not name.startswith("-"):
            near = difflib.get_close_matches(name, [*self.list_commands(ctx), *self.aliases], n=1)
            hint = f", did you mean {near[0]!r}?" if near else f" (try '{ctx.command_path} --help')"
            ctx.fail(f"no such command {name!r}{hint}")
        return super().resolve_command(ctx, args)


def alias_group(**aliases: str) -> type[AliasGroup]:
    """Return a group class with second names for commands: `alias_group(describe="show")`."""
    return type("Aliases", (AliasGroup,), {"aliases": aliases})


class TableGroup(AliasGroup):
    """A group with commands that are imported when they are used.

    table: name to `module:attribute` and what `--help` says of it.
    """

    table: Mapping[str, tuple[str, str]] = {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted([*self.table, *super().list_commands(ctx)])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, imported if it is in the table."""
        if cmd_name not in self.table:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self.table[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


class LazyGroup(TableGroup):
    """The program's own group: commands from a table and from plugins, none imported before it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, those of plugins last."""
        return [*self.table, *self._plugin_names(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; None when nobody offers the name.

        Raises PluginError: a plugin offers it and failed; other commands are not hurt.
        """
        if cmd_name in self.table:
            return super().get_command(ctx, cmd_name)
        plugins = _plugins(ctx)
        if plugins is None or cmd_name not in plugins.keys("command"):
            return None
        from mlcore.errors import PluginError
        from mlcore.hookspecs import HookSpecs

        brought: object = plugins.first(HookSpecs.command, name=cmd_name)
        if not isinstance(brought, click.Command):
            raise PluginError(
                f"plugin {plugins.entry('command', cmd_name)} answered with a {type(brought).__name__} "
                "instead of a click command"
            )
        return brought

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments start with.

        Raises PluginNotFoundError: a plugin that is not installed, or is switched off, has it; the message says which.
        """
        name = args[0]
        plugins = None if name in self.table else _plugins(ctx)
        if plugins is not None and name not in plugins.keys("command"):
            from mlcore.plugin_index import install_hints, not_found

            known = plugins.installed()
            if name in install_hints("command") or any(e.hook == "command" and e.key == name for e in known):
                raise not_found("command", name, plugins.keys("command"), known)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what each command does, from the table and from the plugins' metadata."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in self.table.items()])
        brought = self._plugin_names(ctx)
        if brought:
            from mlcore.plugin_index import summary

            with formatter.section("Commands of plugins"):
                formatter.write_dl([(name, summary(dist)) for name, dist in brought.items()])

    def _plugin_names(self, ctx: click.Context) -> dict[str, str]:
        plugins = _plugins(ctx)
        if plugins is None:
            return {}
        return {
            e.key: e.dist
            for e in plugins.installed()
            if e.hook == "command" and e.key not in self.table and plugins.is_enabled(e)
        }


def _plugins(ctx: click.Context) -> Plugins | None:
    """Return the plugins of this call; None when the settings are broken, which is for the command itself to report."""
    from mlcore.cli.context import Cli
    from mlcore.errors import SettingsError

    root = ctx.find_root()
    # the program has not begun yet when its commands are looked up, or help or completion is asked for
    cli = root.obj if isinstance(root.obj, Cli) else root.meta.setdefault(__name__, Cli())
    try:
        return cli.plugins
    except SettingsError:
        return None
