from __future__ import annotations

from mlcore_store_file.plugin import registry_store, tracking_store


def test_other_schemes_are_left_to_others() -> None:
    assert tracking_store("sqlite:///x.db", None) is None
    assert registry_store("https://example.org") is None
