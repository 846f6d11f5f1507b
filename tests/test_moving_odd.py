"""Targets that lack something: they choose ids, refuse values, or have models of their own."""

from __future__ import annotations

import math
import random
from uuid import uuid4

import pytest
import rich_store
import whole_store
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from rich_store import CHILD, PARENT

from mlcore.entities import Batch, Metric, Move, MoveNote, NewRun, Run, RunTag
from mlcore.errors import InvalidParameterError, StoreUnavailableError
from mlcore.interfaces import RegistryStore
from mlcore.moving import Choice, Report
from mlcore.moving.copying import copy_sides
from mlcore.moving.points import missing
from mlcore.moving.sides import Side
from mlcore.plugins import current
from mlcore.testing.memory_registry import MemoryRegistryStore
from mlcore.testing.memory_tracking import MemoryTrackingStore

NO_FILES = Choice(artifacts=False, jobs=1)


def side(store: MemoryTrackingStore, registry: RegistryStore | None = None) -> Side:
    return Side("memory:", store, registry, current())


def copy(source: MemoryTrackingStore, target: MemoryTrackingStore, choice: Choice = NO_FILES) -> Report:
    return copy_sides(side(source), side(target), choice)


def copy_models(source: MemoryRegistryStore, target: RegistryStore | None) -> Report:
    stores = MemoryTrackingStore(), MemoryTrackingStore()
    return copy_sides(side(stores[0], source), side(stores[1], target), NO_FILES)


def shortfalls(report: Report) -> dict[str, int]:
    return {each.what: each.count for each in report.shortfalls}


def differences(source: MemoryTrackingStore, target: MemoryTrackingStore, *ignored: str) -> list[str]:
    def read(store: MemoryTrackingStore) -> dict[str, object]:
        bare = evolve_places(store)
        return whole_store.read_stores(bare, None, "memory:")

    return whole_store.differences(read(source), read(target), "*/times", *ignored)


def evolve_places(store: MemoryTrackingStore) -> MemoryTrackingStore:
    """Let runs of a store in memory have their files in an empty directory, which there is."""
    for kept in store.runs.values():
        kept.info = evolve(kept.info, artifact_uri="file:///nonexistent-and-empty")
    store.models = {
        key: evolve(model, artifact_uri="file:///nonexistent-and-empty") for key, model in store.models.items()
    }
    return store


def filled() -> MemoryTrackingStore:
    store = MemoryTrackingStore()
    made = store.create_experiment("e", artifact_location=None, tags={})
    store.create_run(NewRun(made.experiment_id, CHILD, "child", "u", 1, {"mlflow.parentRunId": PARENT}))
    store.create_run(NewRun(made.experiment_id, PARENT, "parent", "u", 5, {}))  # later than its child
    store.log_batch(PARENT, Batch(metrics=tuple(Metric("m", float(i), i, i) for i in range(30))))
    store.log_batch(PARENT, Batch(tags=(RunTag("mlflow.log-model.history", f'[{{"run_id": "{PARENT}"}}]'),)))
    return store


class ChoosesIds(MemoryTrackingStore):
    """Does as plain MLflow servers do."""

    def create_run(self, new: NewRun) -> Run:
        return super().create_run(evolve(new, run_id=uuid4().hex))


def test_a_target_that_chooses_ids_keeps_those_of_the_source_as_a_tag() -> None:
    source, target = filled(), ChoosesIds()

    report = copy(source, target)

    by_name = {kept.info.run_name: kept for kept in target.runs.values()}
    assert by_name["parent"].tags["mlcore.clientRunId"] == PARENT
    assert {(each.source_id, each.target_id) for each in report.renumbered} == {
        (kept.tags["mlcore.clientRunId"], kept.info.run_id) for kept in target.runs.values()
    }


def test_tags_that_name_runs_name_those_of_the_target() -> None:
    target = ChoosesIds()

    copy(filled(), target)

    by_name = {kept.info.run_name: kept for kept in target.runs.values()}
    there = by_name["parent"].info.run_id
    assert by_name["child"].tags["mlflow.parentRunId"] == there
    assert by_name["parent"].tags["mlflow.log-model.history"] == f'[{{"run_id": "{there}"}}]'


def test_a_second_copy_finds_runs_whose_ids_the_target_chose() -> None:
    source, target = filled(), ChoosesIds()
    copy(source, target)

    report = copy(source, target)

    assert (report.counts.writes, len(target.runs)) == (0, 2)


def test_runs_that_come_back_from_a_target_that_chose_ids_are_those_that_were_there() -> None:
    source, away = filled(), ChoosesIds()
    copy(source, away)
    away.log_batch(next(iter(away.runs)), Batch(metrics=(Metric("more", 1.0, 1, 1),)))

    report = copy(away, source)

    assert (report.counts.runs, report.counts.points, len(source.runs)) == (0, 1, 2)


def test_a_child_that_is_copied_alone_names_its_parent_once_that_is_there_too() -> None:
    source, target = filled(), ChoosesIds()

    copy(source, target, evolve(NO_FILES, run_ids=(CHILD,)))
    copy(source, target)

    by_name = {kept.info.run_name: kept for kept in target.runs.values()}
    assert by_name["child"].tags["mlflow.parentRunId"] == by_name["parent"].info.run_id


class Refuses(MemoryTrackingStore):
    """Refuses batches with steps over 20."""

    def log_batch(self, run_id: str, batch: Batch) -> None:
        if any(point.step > 20 for point in batch.metrics):
            raise InvalidParameterError("no such steps here")
        super().log_batch(run_id, batch)


def test_what_a_target_refuses_is_counted_and_the_rest_arrives() -> None:
    source, target = filled(), Refuses()

    report = copy(source, target)

    assert shortfalls(report)["metric points that the target refuses"] == 9
    assert report.counts.points == 21
    assert target.runs[PARENT].info.run_name == "parent"
    assert "'m': no such steps here" in report.shortfalls[0].examples[0]


class BreaksOff(MemoryTrackingStore):
    """Stops answering at a chosen call that writes."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.left = calls

    def _spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise StoreUnavailableError("gone")

    def create_run(self, new: NewRun) -> Run:
        self._spend()
        return super().create_run(new)

    def log_batch(self, run_id: str, batch: Batch) -> None:
        self._spend()
        super().log_batch(run_id, batch)


@pytest.mark.parametrize("calls", range(4))
def test_a_target_that_goes_away_ends_the_copy_and_the_next_one_goes_on(calls: int) -> None:
    source, target = filled(), BreaksOff(calls)

    with pytest.raises(StoreUnavailableError):
        copy(source, target)
    target.left = 1000
    copy(source, target)

    assert differences(source, target) == []


def test_logged_models_are_told_where_nobody_keeps_them() -> None:
    class Old:
        """A store without logged models: all other methods of one in memory."""

        def __init__(self, inner: MemoryTrackingStore) -> None:
            for name in dir(inner):
                if not name.startswith("_") and "model" not in name:
                    setattr(self, name, getattr(inner, name))

    source = MemoryTrackingStore()
    rich_store.fill_runs_without_files(source)

    report = copy_sides(side(source), Side("memory:", Old(MemoryTrackingStore()), None, current()), NO_FILES)

    assert shortfalls(report)["logged models"] == 1
    assert shortfalls(report)["links of runs to logged models"] == 2


# Registered models


class Bare:
    """A registry that adopts nothing: only the methods that all have."""

    def __init__(self, inner: MemoryRegistryStore) -> None:
        for name in (name for name in vars(RegistryStore) if not name.startswith("_")):
            setattr(self, name, getattr(inner, name))


@pytest.fixture(params=[True, False], ids=["adopting", "bare"])
def adopts(request: pytest.FixtureRequest) -> bool:
    return request.param


def model(registry: MemoryRegistryStore, name: str, versions: int, *removed: str) -> None:
    registry.create_model(name, description="", tags={})
    for i in range(versions):
        registry.create_version(name, f"s3://b/{i}", run_id=None, run_link=None, description="", tags={})
    for number in removed:
        registry.delete_version(name, number)


def numbers(registry: MemoryRegistryStore, name: str) -> dict[str, str]:
    return {number: version.source for number, version in registry.lines[name].versions.items()}


def test_versions_keep_their_numbers_over_gaps(adopts: bool) -> None:
    source, target = MemoryRegistryStore(), MemoryRegistryStore()
    model(source, "m", 7, "1", "2", "4", "7")
    opened = target if adopts else Bare(target)

    report = copy_models(source, opened)

    assert numbers(target, "m") == {"3": "s3://b/2", "5": "s3://b/4", "6": "s3://b/5"}
    assert report.counts.versions == 3
    assert copy_models(source, opened).counts.writes == 0


def test_a_registry_that_cannot_adopt_gets_stages_aliases_and_tags_and_the_rest_is_told() -> None:
    source, target = MemoryRegistryStore(), MemoryRegistryStore()
    rich_store.fill_registry(source, "memory:/place")

    report = copy_models(source, Bare(target))

    def read(registry: MemoryRegistryStore) -> dict[str, object]:
        return whole_store.read_stores(MemoryTrackingStore(), registry, "memory:")["models"]

    assert whole_store.differences(read(source), read(target), "*/times") == []
    assert shortfalls(report) == {
        "histories of registered models": 2,
        "times of model versions": 3,
        "times of registered models": 2,
    }


def test_a_stand_in_for_a_number_that_an_interrupted_copy_left_is_removed() -> None:
    source, target = MemoryRegistryStore(), MemoryRegistryStore()
    model(source, "m", 2, "1")
    target.create_model("m", description="", tags={})
    target.create_version("m", "x", run_id=None, run_link=None, description="", tags={"mlcore.filler": "1"})

    copy_models(source, target)

    assert numbers(target, "m") == {"2": "s3://b/1"}


def test_a_version_whose_number_another_one_has_is_told_and_moves_no_alias() -> None:
    source, target = MemoryRegistryStore(), MemoryRegistryStore()
    model(source, "m", 2)
    source.set_alias("m", "champion", "1")
    target.create_model("m", description="", tags={})
    target.create_version("m", "s3://own/1", run_id=None, run_link=None, description="", tags={})

    report = copy_models(source, target)

    assert numbers(target, "m") == {"1": "s3://own/1", "2": "s3://b/1"}
    assert shortfalls(report)["model versions whose number another one has in the target"] == 1
    assert target.lines["m"].aliases == {}


def test_a_history_comes_along_through_several_copies_and_goes_on() -> None:
    first, second, third = MemoryRegistryStore(), MemoryRegistryStore(), MemoryRegistryStore()
    model(first, "m", 2)
    first.move_alias("m", "champion", "1", note=MoveNote("ada", "why"), expected=None)
    first.update_model("m", new_name="n", description=None)
    told = told_of(first, "n")

    copy_models(first, second)
    copy_models(second, third)
    second.move_alias("n", "champion", "2", note=MoveNote("bob"), expected="1")
    copy_models(second, third)

    assert told_of(second, "n")[:5] == told_of(third, "n")[:5] == told
    assert [each.user for each in told_of(third, "n") if each.subject == "champion" and each.user] == ["ada", "bob"]
    assert second.alias_at("n", "champion", told[-1].at) == "1"
    assert copy_models(second, third).counts.writes == 0


def told_of(registry: MemoryRegistryStore, name: str) -> list[Move]:
    return list(registry.history(name, max_results=1000, page_token=None).items)[::-1]


def test_a_number_that_the_target_has_used_is_told() -> None:
    source, target = MemoryRegistryStore(), MemoryRegistryStore()
    model(source, "m", 1)
    model(target, "m", 1, "1")

    report = copy_models(source, Bare(target))

    assert shortfalls(report)["model versions whose number the target has used already"] == 1
    assert numbers(target, "m") == {}


def test_what_people_have_decided_in_the_target_stays_and_is_told() -> None:
    source, target = MemoryRegistryStore(), MemoryRegistryStore()
    model(source, "m", 2)
    copy_models(source, target)
    for registry, stage, version in ((source, "Production", "1"), (target, "Staging", "2")):
        registry.update_version("m", "1", description=stage, stage=stage, archive_existing=False)
        registry.update_model("m", new_name=None, description=stage)
        registry.set_alias("m", "champion", version)
        registry.set_tag("m", None, "k", stage)
        registry.set_tag("m", "1", "k", stage)
    source.set_alias("m", "new", "2")

    report = copy_models(source, target)

    line = target.lines["m"]
    assert (line.versions["1"].current_stage, line.versions["1"].tags["k"]) == ("Staging", "Staging")
    assert (line.model.description, line.model.tags["k"]) == ("Staging", "Staging")
    assert line.aliases == {"champion": "2", "new": "2"}
    assert len([each for each in report.shortfalls if each.what.endswith("in the target")]) == 6
    assert report.counts.writes == 2, "the alias, and the history of the source"


def test_a_target_without_a_registry_is_told_of_each_model() -> None:
    source = MemoryRegistryStore()
    model(source, "m", 1)

    assert shortfalls(copy_models(source, None)) == {"registered models": 1}


@pytest.mark.parametrize("name", ["it's", 'say "x"', 'it\'s "both"', "a b%"])
def test_versions_of_models_with_odd_names_are_found(name: str) -> None:
    source, target = MemoryRegistryStore(), MemoryRegistryStore()
    model(source, name, 2)
    model(source, "other", 1)

    copy_models(source, target)

    assert len(numbers(target, name)) == 2


# Curves

# Stores differ in whether -0.0 and 0.0 are two values.
VALUES = st.one_of(st.floats(width=16).map(lambda value: value + 0.0), st.sampled_from([math.nan, math.inf, -math.inf]))
POINTS = st.lists(st.builds(Metric, st.just("m"), VALUES, st.integers(0, 3), st.integers(-2, 2)), max_size=25)


def in_order(points: list[Metric]) -> list[Metric]:
    unique = {(p.timestamp, p.step, repr(p.value)): p for p in points}
    shuffled = sorted(unique.values(), key=lambda _: random.random())
    return sorted(shuffled, key=lambda p: (p.timestamp, p.step))


@settings(max_examples=150, deadline=None)
@given(POINTS, POINTS, st.booleans())
def test_exactly_the_points_that_are_not_there_are_found(
    ours: list[Metric], theirs: list[Metric], ordered: bool
) -> None:
    source, target = in_order(ours), in_order(theirs)
    if not ordered:
        target.reverse()

    found = list(missing(lambda: iter(source), lambda: iter(target), lambda _: None))

    lacking = {repr(point) for point in source} - {repr(point) for point in target}
    if ordered:
        assert {repr(point) for point in found} == lacking
    else:  # against the contract; what comes twice is kept once, but nothing may be left out
        assert {repr(point) for point in found} >= lacking


# Whole stores

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
KEYS = st.sampled_from(["a", "b/c", "d e"])


@st.composite
def stores(draw: st.DrawFn) -> MemoryTrackingStore:
    store = MemoryTrackingStore()
    for e in range(draw(st.integers(0, 2))):
        made = store.create_experiment(f"e{e}", artifact_location=None, tags=draw(st.dictionaries(KEYS, TEXT)))
        for r in range(draw(st.integers(0, 3))):
            run_id = f"{e}{r}" * 16
            tags = draw(st.dictionaries(KEYS, TEXT))
            store.create_run(NewRun(made.experiment_id, run_id, draw(TEXT), "u", draw(st.integers(0, 9)), tags))
            store.log_batch(run_id, Batch(metrics=tuple(draw(POINTS))))
            store.update_run(run_id, rich_store.an_end(draw(st.integers(0, 5))))
        if draw(st.booleans()):
            store.update_experiment(made.experiment_id, rich_store.AWAY)
    return store


@settings(max_examples=40, deadline=None)
@given(stores())
def test_what_a_random_store_holds_is_what_its_copy_holds(source: MemoryTrackingStore) -> None:
    target = MemoryTrackingStore()

    copy(source, target)
    again = copy(source, target)

    assert differences(source, target) == []
    assert again.counts.writes == 0
