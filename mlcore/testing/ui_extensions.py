"""The contract suite of plugins that show something in the web UI.

To use it, inherit in a test module and give a fixture `ui_extensions`, the hook's implementation:

    class TestMyPanels(UIExtensionsContract):
        plugin_module = "mlcore_my_panels.plugin"

        @pytest.fixture
        def ui_extensions(self) -> Extensions:
            return my_plugin.ui_extensions

Blocks are made for the fixture `block_context` of each kind; give it runs that your blocks can read.
"""

# ruff: noqa: D102  # the names of tests are sentences, which say it all
from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import get_args

import pytest

from mlcore.entities.ui_extension import Block, BlockContext, UIExtension, UIKind
from mlcore.testing.plugin_module import PluginModuleContract

Extensions = Callable[[], Sequence[UIExtension] | None]

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_MODULE = re.compile(r"(?:[\w-]+/)*[\w-]+\.m?js")
_ADDRESS = re.compile(r"""(?:from|import)\s*\(?\s*["'](?:https?:)?//""")
_MATCHED = (UIKind.ARTIFACT_VIEWER, UIKind.COLUMN_RENDERER)


class UIExtensionsContract(PluginModuleContract):
    """Everything that the UI relies on when a plugin shows something in it."""

    @pytest.fixture
    def block_context(self) -> Callable[[UIKind], BlockContext]:
        """Return what blocks of a kind are made for."""
        return lambda kind: BlockContext(kind, "sqlite:///absent.db", "sqlite:///absent.db")

    def test_everything_has_a_name_of_its_own_and_a_title(self, ui_extensions: Extensions) -> None:
        shown = ui_extensions() or ()
        assert [one.id for one in shown if not _ID.fullmatch(one.id)] == []
        assert len({one.id for one in shown}) == len(shown)
        assert [one.id for one in shown if not one.title.strip() or len(one.title) > 60] == []

    def test_everything_is_either_a_module_or_blocks(self, ui_extensions: Extensions) -> None:
        for one in ui_extensions() or ():
            assert (one.blocks is None) == bool(one.module), f"{one.id}: expected a module or blocks"
            assert bool(one.module) == bool(one.package), f"{one.id}: expected a package for its module"
            assert not (one.blocks and one.kind in _MATCHED), f"{one.id}: a {one.kind.value} needs a module"
            assert not (one.isolate and one.blocks), f"{one.id}: blocks are drawn by the UI, and need no frame"

    def test_modules_are_files_of_the_package_and_load_nothing_from_elsewhere(self, ui_extensions: Extensions) -> None:
        for one in ui_extensions() or ():
            if not one.module:
                continue
            assert _MODULE.fullmatch(one.module), f"{one.id}: invalid module {one.module!r}"
            text = files(one.package).joinpath("static", *one.module.split("/")).read_text(encoding="utf-8")
            assert "export default" in text, f"{one.id}: {one.module} has no default export"
            assert _ADDRESS.search(text) is None, f"{one.id}: {one.module} imports from an address"

    def test_viewers_and_renderers_say_what_they_are_for(self, ui_extensions: Extensions) -> None:
        for one in ui_extensions() or ():
            if one.kind is not UIKind.RUN_PANEL:
                assert bool(one.match) == (one.kind in _MATCHED), f"{one.id}: match is for viewers and renderers"
            assert all(pattern.strip("!/ ") for pattern in one.match), f"{one.id}: a pattern says nothing"
            assert not one.match or not all(pattern.startswith("!") for pattern in one.match), f"{one.id}: fits nothing"
            assert not one.series or one.kind is UIKind.ARTIFACT_VIEWER, f"{one.id}: series is for viewers of files"

    def test_blocks_are_blocks(
        self, ui_extensions: Extensions, block_context: Callable[[UIKind], BlockContext]
    ) -> None:
        for one in ui_extensions() or ():
            if one.blocks is not None:
                for block in one.blocks(block_context(one.kind)):
                    assert isinstance(block, get_args(Block)), f"{one.id}: {block!r} is no block"

    def test_asking_again_gives_the_same(self, ui_extensions: Extensions) -> None:
        assert (ui_extensions() or ()) == (ui_extensions() or ())
