"""Prove a contract suite: a broken implementation is caught by the test that is about the fault.

    TestLosesUpdates = caught_by(TrackingStoreContract, "test_a_batch_is_read_back", store=LosesUpdates)

The class has that one test, which passes when the suite's test fails.
"""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Callable

import pytest

from mlcore.errors import MlcoreError
from mlcore.testing.contract import Contract, contract_tests

# What a test that catches something ends with; anything else is a fault of the proof itself.
CAUGHT = (
    AssertionError,
    pytest.fail.Exception,
    MlcoreError,
    LookupError,
    OSError,
    RuntimeError,
    ValueError,
    subprocess.SubprocessError,
)


def caught_by(suite: type[Contract], test: str, **fixtures: Callable[[], object]) -> type[Contract]:
    """Return a test class that passes when *test* of *suite* fails.

    fixtures: by name, what makes the broken object; the suite's own fixtures serve for the rest.
    """
    names = contract_tests(suite)
    if test not in names:
        raise ValueError(f"unknown contract test {test!r} of {suite.__name__}: it has {', '.join(sorted(names))}")
    given = {name: _fixture(name, make) for name, make in fixtures.items()}
    made = type(f"Test{suite.__name__}", (suite,), given)
    for name in names:
        setattr(made, name, None)
    setattr(made, test, _inverted(getattr(suite, test)))
    return made


def _fixture(name: str, make: Callable[[], object]) -> object:
    def give(self: object) -> object:  # noqa: ARG001  # a method of the class to be
        return make()

    return pytest.fixture(name=name)(give)


def _inverted(test: Callable[..., object]) -> Callable[..., object]:
    @functools.wraps(test)
    def proof(*args: object, **kwargs: object) -> None:
        with pytest.raises(CAUGHT):
            test(*args, **kwargs)

    return proof
