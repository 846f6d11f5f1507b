"""Moving data: copy experiments, runs, artifacts and registered models from one store to another, without a server."""

from mlcore.moving.copying import copy_store
from mlcore.moving.report import Choice, Counts, Failure, Renumbered, Report, Shortfall, Step

__all__ = ["Choice", "Counts", "Failure", "Renumbered", "Report", "Shortfall", "Step", "copy_store"]
