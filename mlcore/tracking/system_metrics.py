"""Switch system metrics on and off for the runs to come, under MLflow's names.

Like MLflow's functions they set environment variables, so that processes started later do the same.
"""

from __future__ import annotations

from mlcore.tracking.session import current_session


def enable_system_metrics_logging() -> None:
    """Record system metrics in runs that do not say otherwise: `start_run(log_system_metrics=False)`."""
    current_session().change_setting("log_system_metrics", True)


def disable_system_metrics_logging() -> None:
    """Record no system metrics in runs that do not ask for them: `start_run(log_system_metrics=True)`."""
    current_session().change_setting("log_system_metrics", False)


def set_system_metrics_sampling_interval(interval: float | None) -> None:
    """Take system metrics every *interval* seconds; None takes the choice back. Raises SettingsError: no such time."""
    current_session().change_setting("system_metrics_s", interval)


def set_system_metrics_samples_before_logging(samples: int | None) -> None:
    """Record the mean of so many samples as one point; None takes the choice back. Raises SettingsError: not 1 or more."""
    current_session().change_setting("system_metrics_samples", samples)


def set_system_metrics_node_id(node_id: str | None) -> None:
    """Name this machine in its metrics, `system/<node_id>/...`; None takes the choice back."""
    current_session().change_setting("system_metrics_node", node_id)
