"""The contract suite of what is shown in the web UI: good plugins pass, and each broken one is caught."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from attrs import evolve

from mlcore.entities.ui_extension import BlockContext, Line, Markdown, UIExtension, UIKind
from mlcore.testing.proof import caught_by
from mlcore.testing.ui_extensions import Extensions, UIExtensionsContract

MODULE = "export default { api: 1, mount() { return {}; } };\n"
PANEL = UIExtension(UIKind.RUN_PANEL, "panel", "Panel", package="acme_panels", module="panel.js")
VIEWER = UIExtension(
    UIKind.ARTIFACT_VIEWER, "maps", "Map", package="acme_panels", module="panel.js", match=("*.geojson",)
)


def _text(_: BlockContext) -> tuple[Markdown | Line, ...]:
    return (Markdown("**fine**"), Line((0.0, 1.0), {"loss": (1.0, None)}))


BLOCKS = UIExtension(UIKind.MODEL_PANEL, "text", "Text", blocks=_text)


@pytest.fixture(autouse=True, scope="module")
def _package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("packages")
    static = folder / "acme_panels" / "static"
    static.mkdir(parents=True)
    (static.parent / "__init__.py").touch()
    Path(static, "panel.js").write_text(MODULE, encoding="utf-8")
    Path(static, "bare.js").write_text("console.log(1);\n", encoding="utf-8")
    Path(static, "far.js").write_text(f'import "https://example.com/x.js";\n{MODULE}', encoding="utf-8")
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))
    sys.modules.pop("acme_panels", None)


class TestPanels(UIExtensionsContract):
    @pytest.fixture
    def ui_extensions(self) -> Extensions:
        return lambda: [PANEL, VIEWER, BLOCKS]


class TestNothing(UIExtensionsContract):
    @pytest.fixture
    def ui_extensions(self) -> Extensions:
        return lambda: None


def _always(*shown: UIExtension) -> Callable[[], Extensions]:
    return lambda: lambda: list(shown)


def _changes() -> Extensions:
    answers: Iterator[Sequence[UIExtension]] = itertools.cycle(([PANEL], []))
    return lambda: next(answers)


def _no_block(_: BlockContext) -> tuple[Markdown, ...]:
    return ("text",)  # type: ignore[return-value]  # the fault


BROKEN: list[tuple[str, Callable[[], object]]] = [
    ("test_everything_has_a_name_of_its_own_and_a_title", _always(evolve(PANEL, id="My Panel"))),
    ("test_everything_has_a_name_of_its_own_and_a_title", _always(PANEL, PANEL)),
    ("test_everything_has_a_name_of_its_own_and_a_title", _always(evolve(PANEL, title=" "))),
    ("test_everything_is_either_a_module_or_blocks", _always(evolve(PANEL, blocks=_text))),
    ("test_everything_is_either_a_module_or_blocks", _always(evolve(PANEL, module="", package=""))),
    ("test_everything_is_either_a_module_or_blocks", _always(evolve(BLOCKS, isolate=True))),
    ("test_modules_are_files_of_the_package_and_load_nothing_from_elsewhere", _always(evolve(PANEL, module="bare.js"))),
    ("test_modules_are_files_of_the_package_and_load_nothing_from_elsewhere", _always(evolve(PANEL, module="far.js"))),
    (
        "test_modules_are_files_of_the_package_and_load_nothing_from_elsewhere",
        _always(evolve(PANEL, module="../panel.js")),
    ),
    ("test_viewers_and_renderers_say_what_they_are_for", _always(evolve(VIEWER, match=()))),
    ("test_viewers_and_renderers_say_what_they_are_for", _always(evolve(BLOCKS, match=("*",)))),
    ("test_blocks_are_blocks", _always(evolve(BLOCKS, blocks=_no_block))),
    ("test_asking_again_gives_the_same", _changes),
]
for _number, (_test, _make) in enumerate(BROKEN):
    globals()[f"TestBroken{_number}"] = caught_by(UIExtensionsContract, _test, ui_extensions=_make)
