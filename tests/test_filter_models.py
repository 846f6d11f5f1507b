"""Filters of registered models, their versions, and logged models."""

from __future__ import annotations

import pytest
from attrs import evolve

from mlcore.entities import And, Comparison, Field, ModelVersion, Not, Or, OrderBy, RegisteredModel
from mlcore.errors import FilterError, InvalidParameterError
from mlcore.tracking.evaluate_registry import model_matches, sort_versions, version_matches
from mlcore.wire.filter_parser import (
    parse_logged_model_filter,
    parse_logged_model_order,
    parse_model_filter,
    parse_model_order,
    parse_version_filter,
    parse_version_order,
)
from mlcore.wire.stages import canonical_stage

NAME = Field("attribute", "name")
PROMPT = Field("tag", "mlflow.prompt.is_prompt")
NO_PROMPT = Not(Comparison(PROMPT, "=", "true"))
MODEL = RegisteredModel("iris", 1, 2, tags={"team": "a"})
VERSION = ModelVersion("iris", "3", "s3://b/m", 1, 2, run_id="r", current_stage="Staging", tags={"k": "v"})


@pytest.mark.parametrize(
    "text", [None, "", "name = 'iris'", "name LIKE 'i%' AND tags.team = 'a'", "name = 'x' OR name = 'y'"]
)
def test_prompts_are_left_out_of_searches_for_models(text: str | None) -> None:
    tree = parse_model_filter(text)

    assert tree == NO_PROMPT or (isinstance(tree, And) and tree.parts[-1] == NO_PROMPT)


def test_a_filter_that_names_the_prompt_tag_finds_prompts() -> None:
    prompt = evolve(MODEL, tags={PROMPT.key: "true"})
    tree = parse_model_filter("tag.`mlflow.prompt.is_prompt` = 'true'")

    assert tree == Comparison(PROMPT, "=", "true")
    assert (model_matches(tree, prompt), model_matches(tree, MODEL)) == (True, False)


def test_a_model_without_the_prompt_tag_differs_from_any_value_of_it() -> None:
    tree = parse_model_filter("name = 'iris' AND tags.mlflow.prompt.is_prompt != 'true'")
    of_versions = parse_version_filter("NOT tags.mlflow.prompt.is_prompt != 'true'")

    assert tree == And(
        (Comparison(NAME, "=", "iris"), Or((Comparison(PROMPT, "IS NULL"), Comparison(PROMPT, "!=", "true"))))
    )
    assert model_matches(tree, MODEL)
    assert not version_matches(of_versions, VERSION)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("name = 'iris'", True),
        ("attribute.name IN ('iris', 'wine')", True),
        ("name NOT IN ('iris')", False),
        ("version_number = 3", True),
        ("version_number > '2'", True),
        ("version_number <= 2.5", False),
        ("run_id IN ('r', 's')", True),
        ("source_path LIKE 's3://%'", True),
        ("current_stage = 'Staging' AND last_updated_timestamp >= 2", True),
        ("tags.k = 'v' AND NOT tags.k IS NULL", True),
        ("tag.other != 'v'", False),
    ],
)
def test_versions_are_found_by_their_fields(text: str, fits: bool) -> None:
    assert version_matches(parse_version_filter(text), VERSION) is fits


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version = '1'", "it is called version_number"),
        ("source = 'x'", "it is called source_path"),
        ("version_number = 'one'", "needs a number"),
        ("metrics.x > 1", "invalid entity type 'metrics'"),
        ("description = 'x'", "invalid attribute key 'description'"),
    ],
)
def test_what_versions_cannot_be_found_by_is_said(text: str, message: str) -> None:
    with pytest.raises(FilterError, match=message):
        parse_version_filter(text)


def test_the_timestamp_of_an_order_is_the_last_change() -> None:
    changed = OrderBy(Field("attribute", "last_updated_timestamp"), ascending=False)

    assert parse_model_order(["timestamp DESC"]) == parse_version_order(["timestamp DESC"]) == (changed,)


def test_versions_sort_by_number_and_not_by_text() -> None:
    versions = [evolve(VERSION, version=number) for number in ("9", "10", "1")]

    up = sort_versions(versions, parse_version_order(["version_number"]))

    assert [each.version for each in up] == ["1", "9", "10"]
    assert [each.version for each in sort_versions(versions)] == ["10", "9", "1"]


def test_texts_and_numbers_of_logged_models_need_no_quotes_and_may_have_them() -> None:
    assert parse_logged_model_filter("name = lm AND metrics.acc > '0.5'") == And(
        (Comparison(NAME, "=", "lm"), Comparison(Field("metric", "acc"), ">", 0.5))
    )
    assert parse_logged_model_filter("attributes.creation_time >= '5'") == Comparison(
        Field("attribute", "creation_timestamp"), ">=", 5.0
    )


def test_metrics_of_logged_models_have_no_aggregates() -> None:
    assert parse_logged_model_order(["metrics.loss.min DESC"]) == (
        OrderBy(Field("metric", "loss.min"), ascending=False),
    )
    with pytest.raises(FilterError, match="invalid aggregate 'min' of metric 'loss', there are none here"):
        parse_logged_model_filter("metrics.`loss`.min > 1")


def test_stages_are_taken_in_any_letter_case() -> None:
    assert canonical_stage("pRODUCTION", archive_existing=True) == "Production"
    with pytest.raises(InvalidParameterError, match="cannot archive existing model versions because 'Archived' is not"):
        canonical_stage("archived", archive_existing=True)
    with pytest.raises(InvalidParameterError, match="value must be one of None, Staging, Production, Archived"):
        canonical_stage("bogus")
