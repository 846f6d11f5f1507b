"""Complete plugin distributions from templates, and the run of a plugin's contract suite."""

from mlcore.scaffold.generate import generate
from mlcore.scaffold.kinds import KINDS, Kind
from mlcore.scaffold.kit import KitReport, KitTest, find_tests, run_kit

__all__ = ["KINDS", "Kind", "KitReport", "KitTest", "find_tests", "generate", "run_kit"]
