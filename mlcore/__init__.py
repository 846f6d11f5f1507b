"""mlcore: record, compare, save, load and serve machine-learning models.

`import mlcore as mlflow` runs classic MLflow code. Names are resolved at first use, so the import itself
costs next to nothing.
"""

from __future__ import annotations

__version__ = "0.1.0"
