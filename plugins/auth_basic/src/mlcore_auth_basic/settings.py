"""What an operator can choose, from the environment: `MLCORE_AUTH_<NAME>`."""

from __future__ import annotations

import os
from collections.abc import Mapping

from attrs import frozen

from mlcore.errors import SettingsError
from mlcore_auth_basic.levels import DEFAULTS, NOTHING

PREFIX = "MLCORE_AUTH_"
LEAST_LENGTH = 8  # NIST SP 800-63B: no shorter password, whoever asks for it
_YES = ("1", "true", "yes", "on")
_NO = ("0", "false", "no", "off")


@frozen
class AuthSettings:
    """The choices of an operator.

    default_permission: what every user may do with a resource that nobody gave or denied them, as a rank of `levels`.
    may_create: whether new users may create experiments and registered models.
    min_password_length: characters.
    """

    default_permission: int = NOTHING
    may_create: bool = True
    min_password_length: int = 12

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> AuthSettings:
        """Read the environment. Raises SettingsError: a value that cannot be used."""
        given = os.environ if environ is None else environ
        return cls(
            DEFAULTS[_one_of("DEFAULT_PERMISSION", given, tuple(DEFAULTS), "none")],
            _one_of("MAY_CREATE", given, (*_YES, *_NO), "true") in _YES,
            _length("MIN_PASSWORD_LENGTH", given, cls().min_password_length),
        )


def _one_of(name: str, given: Mapping[str, str], known: tuple[str, ...], default: str) -> str:
    value = given.get(PREFIX + name) or default
    if value.lower() not in known:
        raise SettingsError(f"{PREFIX}{name} has the value {value!r}, expected one of {', '.join(known)}")
    return value.lower()


def _length(name: str, given: Mapping[str, str], default: int) -> int:
    value = given.get(PREFIX + name) or str(default)
    if not value.isdecimal() or not LEAST_LENGTH <= int(value) <= 128:
        raise SettingsError(f"{PREFIX}{name} has the value {value!r}, expected a number from {LEAST_LENGTH} to 128")
    return int(value)
