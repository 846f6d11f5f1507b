"""The hooks of acme-optuna."""

from __future__ import annotations

from mlcore.hookspecs import hookimpl
from mlcore.interfaces import Sampler


@hookimpl
def sampler(name: str) -> Sampler | None:
    """Answer to `optuna`; None leaves everything else to others."""
    if name != "optuna":
        return None
    from acme_optuna.sampler import OptunaSampler  # Optuna costs most of a second; pay it here

    return OptunaSampler()
