"""What plugins show in the UI: gathered once, checked, and served under `/ui/x/<package>/<digest>/`.

The UI's own viewers and panels come by the same hook. Their modules are among the files of the pages, which have another address.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence

from attrs import field, frozen

from mlcore.entities.ui_extension import UIExtension, UIKind
from mlcore.hookspecs import HookSpecs
from mlcore.plugins import Plugins
from mlcore_ui.assets import Assets, load

_log = logging.getLogger("mlcore.ui")
OWN = "mlcore_ui"
# where a page has tabs of its own behind those of panels
_AMONG_OTHERS = (UIKind.MODEL_PANEL,)
# a file and a cell are shown by what reads them in the browser
_MODULES_ALONE = (UIKind.ARTIFACT_VIEWER, UIKind.COLUMN_RENDERER)
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@frozen
class Extensions:
    """All that is shown.

    shown: by id, in order. packages: the files of each package that brings modules.
    """

    shown: Mapping[str, UIExtension] = field(repr=False)
    packages: Mapping[str, Assets] = field(repr=False)

    def told(self, base: str) -> list[dict[str, object]]:
        """Return what the page has to know, plain JSON values. base: the path of the UI."""
        return [self._one(one, base) for one in self.shown.values()]

    def _one(self, one: UIExtension, base: str) -> dict[str, object]:
        known: dict[str, object] = {"id": one.id, "kind": one.kind.value, "title": one.title}
        # each page begins with this: what says nothing is left out, and all are in their order already
        order = one.order if one.kind in _AMONG_OTHERS else None
        more = {
            "match": one.match,
            "max_bytes": one.max_bytes,
            "series": one.series,
            "isolate": one.isolate,
            "order": order,
        }
        known |= {name: value for name, value in more.items() if value not in (None, False, ())}
        if one.blocks is not None:
            return {**known, "blocks": True}
        digest = self.packages[one.package].digest
        place = f"{base}/a" if one.package == OWN else f"{base}/x/{one.package}"
        return {**known, "module": f"{place}/{digest}/{one.module}"}


def gather(plugins: Plugins, own: Assets) -> Extensions:
    """Ask every plugin what it shows; leave out, with a warning, what cannot be shown. own: the files of the pages."""
    shown: dict[str, UIExtension] = {}
    packages: dict[str, Assets] = {OWN: own}
    for one in sorted(_all(plugins.every(HookSpecs.ui_extensions)), key=lambda each: (each.order, each.title)):
        wrong = _fault(one, shown)
        if wrong is None and one.module and one.package not in packages:
            try:
                packages[one.package] = load(one.package)
            except (ImportError, OSError) as err:
                wrong = f"the folder 'static' of the package {one.package!r} cannot be read: {err}"
        if wrong is None and one.module and one.module not in packages[one.package].files:
            wrong = f"there is no {one.module!r} in the folder 'static' of {one.package!r}"
        if wrong is None:
            shown[one.id] = one
        else:
            _log.warning("the UI does not show %r: %s", one.id, wrong)
    return Extensions(shown, packages)


def _all(answers: Iterable[Sequence[UIExtension]]) -> Iterable[UIExtension]:
    for answer in answers:
        yield from answer


def _fault(one: UIExtension, shown: Mapping[str, UIExtension]) -> str | None:
    if not _ID.fullmatch(one.id):
        return "expected an id of a-z, 0-9 and '-'"
    if one.id in shown:
        return "another plugin shows something under this id"
    if (one.blocks is None) == (not one.module):
        return "expected either a module or blocks"
    if one.blocks is not None and one.kind in _MODULES_ALONE:
        return f"nothing asks for blocks of a {one.kind.value}: expected a module"
    return None
