"""Which authority the server asks, and whether it may listen without one."""

from __future__ import annotations

from collections.abc import Sequence

from mlcore.errors import SettingsError
from mlcore.interfaces import Authority
from mlcore_server.config import ServerConfig


def choose(config: ServerConfig, offered: Sequence[Authority]) -> Authority | None:
    """Return the authority to ask, or None when everybody may everything.

    An authority that is installed is used: somebody who installs one wants it. Without one the server listens to
    its own machine alone.
    Raises SettingsError: the one that is asked for is not there, several are, or none is and others could call.
    """
    found = _wanted(config, offered)
    if found is None and not config.is_loopback and not config.insecure_no_auth:
        raise SettingsError(
            f"refusing to listen on {config.host!r} without an authority: everybody who reaches it could change "
            "everything. Install one (pip install mlcore-auth-basic), listen on 127.0.0.1, or say "
            "--insecure-no-auth if something else keeps strangers out"
        )
    return found


def _wanted(config: ServerConfig, offered: Sequence[Authority]) -> Authority | None:
    names = ", ".join(sorted(one.name for one in offered)) or "none"
    if config.auth == "none":
        return None
    # with `local` an authority that has no users yet offers itself not
    if config.auth in ("auto", "local"):
        if len(offered) > 1:
            raise SettingsError(f"several authorities are installed ({names}): choose one with --auth NAME")
        return offered[0] if offered else None
    for one in offered:
        if one.name == config.auth:
            return one
    raise SettingsError(
        f"no authority called {config.auth!r} is installed (installed: {names}): pip install mlcore-auth-{config.auth}, "
        "or whoever offers it"
    )
