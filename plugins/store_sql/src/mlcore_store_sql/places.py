"""Where experiments and runs put their artifacts."""

from __future__ import annotations

from attrs import frozen

from mlcore.uris import join


@frozen
class Places:
    """The artifact roots of a store.

    What lies below `beside` is not stored but computed, so that a directory with database and artifacts can
    be moved as a whole.

    beside: absolute URI of the directory beside the database.
    chosen: absolute URI below which new experiments put artifacts instead, or None.
    """

    beside: str
    chosen: str | None

    def to_store(self, experiment_id: str) -> str | None:
        """Return the location to store for a new experiment that names none itself."""
        return None if self.chosen is None else join(self.chosen, experiment_id)

    def of_experiment(self, stored: str | None, experiment_id: object) -> str:
        """Return the artifact location of an experiment."""
        return f"{self.beside}/{experiment_id}" if stored is None else stored

    def of_run(self, stored: str | None, experiment_id: object, run_id: str) -> str:
        """Return the artifact URI of a run."""
        return f"{self.beside}/{experiment_id}/{run_id}/artifacts" if stored is None else stored

    def of_model(self, stored: str | None, experiment_id: object, model_id: str) -> str:
        """Return the artifact URI of a logged model."""
        return f"{self.beside}/{experiment_id}/models/{model_id}/artifacts" if stored is None else stored
