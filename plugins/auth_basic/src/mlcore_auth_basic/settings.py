"""What an operator can choose, from the environment: `MLCORE_AUTH_<NAME>`."""

from __future__ import annotations

import os
from collections.abc import Mapping

from attrs import frozen

from mlcore.errors import SettingsError
from mlcore_auth_basic.levels import DEFAULTS, NOTHING

PREFIX = "MLCORE_AUTH_"
LEAST_LENGTH = 8  # NIST SP 800-63B: no shorter password, whoever asks for it
MOST_HOURS = 24 * 90
_YES = ("1", "true", "yes", "on")
_NO = ("0", "false", "no", "off")


@frozen
class AuthSettings:
    """The choices of an operator.

    default_permission: what every user may do with a resource that nobody gave or denied them, as a rank of `levels`.
    may_create: whether new users may create experiments and registered models.
    min_password_length: characters.
    session_hours: after which a browser has to sign in again.
    """

    default_permission: int = NOTHING
    may_create: bool = True
    min_password_length: int = 12
    session_hours: int = 12

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> AuthSettings:
        """Read the environment. Raises SettingsError: a value that cannot be used."""
        given = os.environ if environ is None else environ
        return cls(
            DEFAULTS[_one_of("DEFAULT_PERMISSION", given, tuple(DEFAULTS), "none")],
            _one_of("MAY_CREATE", given, (*_YES, *_NO), "true") in _YES,
            _number("MIN_PASSWORD_LENGTH", given, cls().min_password_length, (LEAST_LENGTH, 128)),
            _number("SESSION_HOURS", given, cls().session_hours, (1, MOST_HOURS)),
        )


def _one_of(name: str, given: Mapping[str, str], known: tuple[str, ...], default: str) -> str:
    value = given.get(PREFIX + name) or default
    if value.lower() not in known:
        raise SettingsError(f"{PREFIX}{name} has the value {value!r}, expected one of {', '.join(known)}")
    return value.lower()


def _number(name: str, given: Mapping[str, str], default: int, limits: tuple[int, int]) -> int:
    value = given.get(PREFIX + name) or str(default)
    if not value.isdecimal() or not limits[0] <= int(value) <= limits[1]:
        raise SettingsError(
            f"{PREFIX}{name} has the value {value!r}, expected a number from {limits[0]} to {limits[1]}"
        )
    return int(value)
