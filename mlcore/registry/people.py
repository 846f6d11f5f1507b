"""Who moves something: the name that stays in the history."""

from __future__ import annotations

import getpass


def present_user() -> str:
    """Return the name of the user of this process; empty where the system knows none, as in some containers.

    It is what the process says of itself. A server with an authority puts the name of who was recognised in its place.
    """
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
