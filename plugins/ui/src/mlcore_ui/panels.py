"""The UI's own panels, declared as a vendor declares one."""

from __future__ import annotations

from mlcore.entities.ui_extension import UIExtension, UIKind


def _panel(kind: UIKind, name: str, title: str, module: str, order: int, *match: str) -> UIExtension:
    return UIExtension(kind, name, title, package="mlcore_ui", module=f"pages/{module}.js", match=match, order=order)


# the ids are in addresses that people have sent to each other; those of plugins, 100 by default, stand behind ours
PANELS = (
    _panel(UIKind.EXPERIMENT_PANEL, "compare", "Compare", "charts/compare", 10),
    _panel(UIKind.COMPARE_PANEL, "diff", "Differences", "charts/difftable", 10),
    _panel(UIKind.COMPARE_PANEL, "parallel", "Parallel coordinates", "charts/parallel", 20),
    _panel(UIKind.COMPARE_PANEL, "scatter", "Scatter", "charts/scatter", 30),
    _panel(UIKind.COMPARE_PANEL, "box", "Box plot", "charts/boxplot", 40),
    _panel(UIKind.COMPARE_PANEL, "contour", "Contour", "charts/contour", 50),
    _panel(UIKind.RUN_PANEL, "children", "Children", "run/children", 10),
    _panel(UIKind.RUN_PANEL, "system", "System", "run/system", 20, "metrics.system/*"),
    _panel(UIKind.MODEL_PANEL, "use", "Use", "models/snippets", 10),
    _panel(UIKind.MODEL_PANEL, "try", "Try it", "models/tryit", 20),
)
