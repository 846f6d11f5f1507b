"""Whether an object is the one that was read before."""

from __future__ import annotations

import io

from mlcore.interfaces import SupportsFingerprint


def test_a_fingerprint_changes_with_the_content(moto, shared) -> None:
    repo = shared(moto)
    repo.write("a.csv", io.BytesIO(b"one"), 3)
    first = repo.fingerprint("a.csv")
    repo.write("a.csv", io.BytesIO(b"two"), 3)

    assert isinstance(repo, SupportsFingerprint)
    assert first is not None
    assert repo.fingerprint("a.csv") not in (first, None)


def test_what_is_not_there_has_no_fingerprint(moto, shared) -> None:
    assert shared(moto).fingerprint("missing.csv") is None
