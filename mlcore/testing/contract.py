"""The base of all contract suites: their tests stand as they are, and exceptions to them have a reason.

class TestMyRepo(ArtifactRepoContract):
    expected_failures = {"test_names_come_back_as_they_were": "the server refuses colons, see its page on names"}
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import ClassVar

import pytest


class Contract:
    """A class of tests that its subclasses cannot override.

    expected_failures: test name to reason; such a test runs as `xfail(strict=True)`, so it has to fail.
    """

    expected_failures: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls) -> None:
        """Refuse a class that replaces or removes a contract test. Raises TypeError, which ends the collection."""
        super().__init_subclass__()
        for name in contract_tests(*cls.__mro__[1:]):
            homes = [base for base in cls.__mro__ if name in vars(base)]
            if len(homes) > 1 and not hasattr(vars(homes[0])[name], "expected_to_fail"):
                raise TypeError(
                    f"{homes[0].__qualname__} overrides the contract test {name!r} of {homes[-1].__qualname__}: "
                    f"remove it; what cannot pass goes into expected_failures = {{{name!r}: 'the reason'}}"
                )
        for name, reason in vars(cls).get("expected_failures", {}).items():
            setattr(cls, name, _expected_to_fail(cls, name, reason))


def contract_tests(*classes: type) -> set[str]:
    """Return the names of the tests that suites among *classes*, or among their bases, bring."""
    return {
        name
        for cls in classes
        for base in cls.__mro__
        if issubclass(base, Contract)
        for name in vars(base)
        if name.startswith("test_")
    }


def _expected_to_fail(cls: type, name: str, reason: str) -> types.FunctionType:
    original = getattr(cls, name, None)
    if not isinstance(original, types.FunctionType) or not name.startswith("test_"):
        raise TypeError(f"{cls.__qualname__} expects {name!r} to fail, which is no test of its contract")
    if not reason.strip():
        raise TypeError(f"{cls.__qualname__} expects {name!r} to fail and does not say why: write the reason")
    copy = types.FunctionType(
        original.__code__, original.__globals__, original.__name__, original.__defaults__, original.__closure__
    )
    copy.__kwdefaults__ = original.__kwdefaults__
    copy.__annotations__ = original.__annotations__
    copy.__dict__.update({**vars(original), "expected_to_fail": True})
    marked: types.FunctionType = pytest.mark.xfail(strict=True, reason=reason)(copy)
    return marked
