"""Arguments of MLflow's API that cannot be honoured yet: refused, because data would be missing without a word."""

from __future__ import annotations

from mlcore.errors import UnsupportedError


def refuse_logged_models(**given: object) -> None:
    """Refuse arguments that tie data to one of MLflow 3's logged models. Raises UnsupportedError naming the first."""
    for name, value in given.items():
        if value is not None:
            raise UnsupportedError(
                f"{name}={value!r:.80} cannot be honoured: mlcore keeps no logged models apart from their runs yet; "
                "leave it out, and log to the run that made the model"
            )
