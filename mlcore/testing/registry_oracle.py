"""The part of the contract suite of registry stores that compares their searches with the reference evaluator."""

# ruff: noqa: D102  # the names of tests are sentences, which say it all
from __future__ import annotations

from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from mlcore.entities import ModelVersion, Page, RegisteredModel
from mlcore.entities.filters import Field, Filter, OrderBy
from mlcore.interfaces import RegistryStore
from mlcore.testing.filter_strategies import RUN_IDS, TAG_KEYS, filters_of, orders_of
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.testing.tracking_oracle import ORACLE_SETTINGS
from mlcore.tracking.evaluate_registry import model_matches, sort_models, sort_versions, version_matches
from mlcore.wire.filter_fields import Vocabulary
from mlcore.wire.filter_model_fields import MODELS, PROMPT_TAG, VERSIONS
from mlcore.wire.filter_parser import parse_model_filter, parse_version_filter
from mlcore.wire.filter_text import filter_to_text, order_to_text

T = TypeVar("T", RegisteredModel, ModelVersion)

_NAMES = ("tree", "Tree", "a%b", "é 日本", "1000", "it's")
_TAGS: tuple[dict[str, str], ...] = (
    {"t": "tree"},
    {"t": "1e3", "a:b": ""},
    {},
    {PROMPT_TAG: "true"},
    {"T": "é"},
    {PROMPT_TAG: "no"},
)


def _fields(vocabulary: Vocabulary) -> st.SearchStrategy[Field]:
    tags = st.sampled_from((*TAG_KEYS, PROMPT_TAG, "absent"))
    attributes = st.sampled_from(sorted(vocabulary.attributes))
    return st.builds(Field, st.just("attribute"), attributes) | st.builds(Field, st.just("tag"), tags)


def _attributes(vocabulary: Vocabulary) -> st.SearchStrategy[Field]:
    return st.builds(Field, st.just("attribute"), st.sampled_from(sorted(vocabulary.attributes)))


def _fill(registry: RegistryStore) -> None:
    for index, (name, tags) in enumerate(zip(_NAMES, _TAGS, strict=True)):
        registry.create_model(name, description="", tags=tags)
        for number in range(index % 4):
            run_id = RUN_IDS[number] if number else None
            registry.create_version(
                name, f"s3://{name}/{number}", run_id=run_id, run_link=None, description="", tags=_TAGS[number]
            )
    for version, stage in (("1", "Production"), ("2", "Staging"), ("3", "Production")):
        registry.update_version("é 日本", version, description=None, stage=stage, archive_existing=False)


class RegistryOracleContract(PluginModuleContract):
    """What is expected of filters and orders: exactly what `mlcore.tracking.evaluate_registry` says."""

    @ORACLE_SETTINGS
    @given(
        tree=st.none() | filters_of(_fields(MODELS), MODELS, 3),
        order=orders_of(_attributes(MODELS), 2),
        page_size=st.integers(1, 4),
    )
    def test_searches_find_the_models_that_the_reference_finds_in_its_order(
        self, registry: RegistryStore, tree: Filter | None, order: tuple[OrderBy, ...], page_size: int
    ) -> None:
        if not registry.search_models("", order_by=(), max_results=1, page_token=None).items:
            _fill(registry)
        text = filter_to_text(tree) if tree is not None else ""
        clauses = tuple(map(order_to_text, order))
        everything = [registry.get_model(name) for name in _NAMES]
        asked = parse_model_filter(text)
        expected = sort_models([each for each in everything if model_matches(asked, each)], order)

        found: list[RegisteredModel] = []
        token: str | None = None
        while True:
            page = registry.search_models(text, order_by=clauses, max_results=page_size, page_token=token)
            token = _add(page, found, page_size)
            if token is None:
                break

        assert found == expected

    @ORACLE_SETTINGS
    @given(
        tree=st.none() | filters_of(_fields(VERSIONS), VERSIONS, 3),
        order=orders_of(_attributes(VERSIONS), 2),
        page_size=st.integers(1, 4),
    )
    def test_searches_find_the_versions_that_the_reference_finds_in_its_order(
        self, registry: RegistryStore, tree: Filter | None, order: tuple[OrderBy, ...], page_size: int
    ) -> None:
        if not registry.search_models("", order_by=(), max_results=1, page_token=None).items:
            _fill(registry)
        text = filter_to_text(tree) if tree is not None else ""
        clauses = tuple(map(order_to_text, order))
        everything = [
            registry.get_version(name, str(version + 1))
            for index, name in enumerate(_NAMES)
            for version in range(index % 4)
        ]
        asked = parse_version_filter(text)
        expected = sort_versions([each for each in everything if version_matches(asked, each)], order)

        found: list[ModelVersion] = []
        token: str | None = None
        while True:
            page = registry.search_versions(text, order_by=clauses, max_results=page_size, page_token=token)
            token = _add(page, found, page_size)
            if token is None:
                break

        assert found == expected


def _add(page: Page[T], found: list[T], page_size: int) -> str | None:
    assert len(page.items) <= page_size, "a page holds more than was asked for"
    found += page.items
    return page.next_token
