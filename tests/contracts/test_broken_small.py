"""Broken flavors, environments, backends, engines, commands and listeners, each caught by a named test."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
from attrs import evolve

from mlcore.errors import InvalidParameterError, MlcoreError, NotFoundError
from mlcore.hookspecs import Event
from mlcore.interfaces import EnvironmentRecord, EnvironmentSpec, Job, JobStatus, Predictor, SavedModel
from mlcore.testing import (
    BatchEngineContract,
    CommandContract,
    EnvironmentContract,
    EventContract,
    FlavorContract,
    MemoryBackend,
    MemoryBatchEngine,
    MemoryEnvironment,
    MemoryFlavor,
    ProjectBackendContract,
)
from mlcore.testing.memory_flavor import LinearModel
from mlcore.testing.proof import caught_by
from mlcore.uris import local_path

Values = Mapping[str, object]


class LoadsPickles(MemoryFlavor):
    def load(self, directory: Path, config: Values) -> object:
        import pickle

        return pickle.loads((directory / "model.json").read_bytes())


class LooksByLoading(LoadsPickles):
    def code_in(self, directory: Path, config: Values) -> str | None:
        self.load(directory, config)
        return "it is a pickle"


class TakesAnyModel(MemoryFlavor):
    def can_save(self, model: object) -> bool:
        return True


class AbsolutePath(MemoryFlavor):
    def save(self, model: object, directory: Path, options: Values) -> SavedModel:
        saved = super().save(model, directory, options)
        return evolve(saved, pyfunc={**saved.pyfunc, "data": str(directory / "model.json")})


class IgnoresOptions(MemoryFlavor):
    def save(self, model: object, directory: Path, options: Values) -> SavedModel:
        return super().save(model, directory, {})


class RoundsOff(MemoryFlavor):
    def save(self, model: object, directory: Path, options: Values) -> SavedModel:
        if isinstance(model, LinearModel):
            model = LinearModel(model.slope, 0.0)
        return super().save(model, directory, options)


class MovesOnLoading(MemoryFlavor):
    def predictor(self, directory: Path, config: Values, pyfunc: Values) -> Predictor:
        (directory / "cache").write_text("seen")
        return super().predictor(directory, config, pyfunc)


class MissingIsAnEmptyModel(MemoryFlavor):
    def load(self, directory: Path, config: Values) -> object:
        return super().load(directory, config) if (directory / "model.json").exists() else LinearModel(0.0)


_FLAVORS = [
    (LoadsPickles, "test_a_planted_pickle_is_told_or_never_run"),
    (LoadsPickles, "test_no_way_of_loading_a_foreign_directory_runs_its_code_without_trust"),
    (LooksByLoading, "test_asking_for_code_runs_none"),
    (TakesAnyModel, "test_the_model_is_known_and_others_are_not"),
    (AbsolutePath, "test_paths_in_the_metadata_lead_to_files_in_the_directory"),
    (IgnoresOptions, "test_an_unknown_option_is_named_in_the_error"),
    (RoundsOff, "test_predictions_are_those_of_the_model_that_was_saved"),
    (MovesOnLoading, "test_loading_leaves_the_directory_as_it_was"),
    (MissingIsAnEmptyModel, "test_a_missing_file_is_named_in_the_error"),
]
for _flavor, _test in _FLAVORS:
    globals()[f"Test{_flavor.__name__}"] = caught_by(
        FlavorContract,
        _test,
        flavor=_flavor,
        model=lambda: LinearModel(2.0, 1.0),
        data=lambda: [0.0, 1.0],
        expected=lambda: [1.0, 3.0],
    )


class NewEveryTime(MemoryEnvironment):
    def create(self, spec: EnvironmentSpec) -> str:
        return super().create(evolve(spec, python=f"3.{len(self.made)}"))


class OneForAll(MemoryEnvironment):
    def create(self, spec: EnvironmentSpec) -> str:
        return super().create(EnvironmentSpec())


class ThroughAShell(MemoryEnvironment):
    def command(self, env_id: str, argv: tuple[str, ...]) -> tuple[str, ...]:
        return ("sh", "-c", " ".join(super().command(env_id, argv)))


class UnpinnedLock(MemoryEnvironment):
    def lock(self, env_id: str) -> tuple[str, ...]:
        return self._find(env_id).requirements


class RemovesSilently(MemoryEnvironment):
    def remove(self, env_id: str) -> None:
        self.made.pop(env_id, None)


class ResolvesAnew(MemoryEnvironment):
    def lock(self, env_id: str) -> tuple[str, ...]:
        return tuple(f"{line.partition('=')[0]}=={len(self.made)}" for line in self._find(env_id).requirements)


class ForgetsBuild(MemoryEnvironment):
    def create(self, spec: EnvironmentSpec) -> str:
        return super().create(evolve(spec, build_requirements=()))


class BornAtTheLastUse(MemoryEnvironment):
    def describe(self, env_id: str) -> EnvironmentRecord:
        found = super().describe(env_id)
        return evolve(found, created_ms=found.used_ms)


class NeverUsed(MemoryEnvironment):
    def describe(self, env_id: str) -> EnvironmentRecord:
        found = super().describe(env_id)
        return evolve(found, used_ms=found.created_ms)


class TellsTheLock(MemoryEnvironment):
    def describe(self, env_id: str) -> EnvironmentRecord:
        return evolve(super().describe(env_id), requirements=self.lock(env_id))


class DescribesAnything(MemoryEnvironment):
    def describe(self, env_id: str) -> EnvironmentRecord:
        return super().describe(env_id) if env_id in self.made else EnvironmentRecord(env_id, 0, 0, 0)


_ENVIRONMENTS = [
    (NewEveryTime, "test_the_same_environment_is_made_once"),
    (OneForAll, "test_another_specification_is_another_environment"),
    (ThroughAShell, "test_arguments_reach_the_command_as_they_are"),
    (UnpinnedLock, "test_a_lock_names_exact_versions"),
    (RemovesSilently, "test_an_unknown_environment_is_named_in_the_error"),
    (ResolvesAnew, "test_a_lock_makes_the_same_environment_again"),
    (ForgetsBuild, "test_build_requirements_are_part_of_the_environment"),
    (BornAtTheLastUse, "test_a_command_is_a_use"),
    (NeverUsed, "test_a_command_is_a_use"),
    (TellsTheLock, "test_what_was_made_is_described"),
    (DescribesAnything, "test_what_is_not_there_is_not_described"),
]
for _environment, _test in _ENVIRONMENTS:
    globals()[f"Test{_environment.__name__}"] = caught_by(
        EnvironmentContract,
        _test,
        environment=_environment,
        build_spec=lambda: EnvironmentSpec(requirements=("a",), build_requirements=("b",)),
        other_spec=lambda: EnvironmentSpec(requirements=("pip>=1",)),
    )


class AlwaysWell(MemoryBackend):
    def status(self, job_id: str) -> JobStatus:
        found = super().status(job_id)
        return JobStatus.FINISHED if found is JobStatus.FAILED else found

    def wait(self, job_id: str, timeout_s: float | None) -> JobStatus:
        super().wait(job_id, timeout_s)
        return self.status(job_id)


class ShellBackend(MemoryBackend):
    def submit(self, job: Job) -> str:
        return super().submit(evolve(job, argv=("sh", "-c", " ".join(job.argv))))


class OwnDirectory(MemoryBackend):
    def submit(self, job: Job) -> str:
        return super().submit(evolve(job, directory=Path("/")))


class BareEnvironment(MemoryBackend):
    def submit(self, job: Job) -> str:
        return super().submit(evolve(job, argv=("env", "-i", *job.argv)))


class LastLines(MemoryBackend):
    def logs(self, job_id: str) -> Iterator[str]:
        yield from [*super().logs(job_id)][-1000:]


class LogsOnce(MemoryBackend):
    def logs(self, job_id: str) -> Iterator[str]:
        yield from super().logs(job_id)
        self._find(job_id).lines.clear()


_BACKENDS = [
    (AlwaysWell, "test_errors_of_the_job_are_in_its_output"),
    (ShellBackend, "test_arguments_reach_the_job_as_they_are"),
    (OwnDirectory, "test_a_job_runs_in_its_directory"),
    (BareEnvironment, "test_a_job_sees_its_variables"),
    (LastLines, "test_output_comes_line_by_line_in_order_and_whole"),
    (LogsOnce, "test_output_can_be_read_again"),
]
for _backend, _test in _BACKENDS:
    globals()[f"Test{_backend.__name__}"] = caught_by(ProjectBackendContract, _test, backend=_backend)


class WritesAsItGoes(MemoryBatchEngine):
    def score(self, model_uri: str, source_uri: str, target_uri: str, options: Values) -> int:
        local_path(target_uri).write_text("")
        return super().score(model_uri, source_uri, target_uri, options)


class LeavesUnfinished(MemoryBatchEngine):
    def score(self, model_uri: str, source_uri: str, target_uri: str, options: Values) -> int:
        unfinished = local_path(target_uri).with_name("unfinished")
        unfinished.write_text("")
        count = super().score(model_uri, source_uri, target_uri, options)
        unfinished.unlink()
        return count


class SkipsBadRows(MemoryBatchEngine):
    def score(self, model_uri: str, source_uri: str, target_uri: str, options: Values) -> int:
        path = local_path(source_uri)
        good = [line for line in path.read_text().splitlines() if isinstance(json.loads(line)["x"], float)]
        path.write_text("".join(f"{line}\n" for line in good))
        return super().score(model_uri, source_uri, target_uri, options)


class CountsFromZero(MemoryBatchEngine):
    def score(self, model_uri: str, source_uri: str, target_uri: str, options: Values) -> int:
        return super().score(model_uri, source_uri, target_uri, options) - 1


class MissingIsEmpty(MemoryBatchEngine):
    def score(self, model_uri: str, source_uri: str, target_uri: str, options: Values) -> int:
        try:
            return super().score(model_uri, source_uri, target_uri, options)
        except NotFoundError:
            return 0


_ENGINES = [
    (WritesAsItGoes, "test_a_failure_leaves_the_old_target"),
    (LeavesUnfinished, "test_a_row_that_cannot_be_scored_leaves_no_target"),
    (SkipsBadRows, "test_a_row_that_cannot_be_scored_leaves_no_target"),
    (CountsFromZero, "test_every_row_is_predicted_in_order_and_counted"),
    (MissingIsEmpty, "test_a_missing_table_is_named"),
]
for _engine, _test in _ENGINES:
    globals()[f"Test{_engine.__name__}"] = caught_by(BatchEngineContract, _test, engine=_engine)


def _silent() -> click.Command:
    return click.Command("silent", callback=lambda: None)


def _shouting() -> click.Command:
    return click.Command("Shout_Loud", callback=lambda: None, help="Shout.")


def _greedy() -> click.Command:
    return click.Command(
        "greedy",
        callback=lambda: None,
        help="Take anything.",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )


TestSilent = caught_by(CommandContract, "test_every_command_says_in_one_line_what_it_does", command=_silent)
TestShouting = caught_by(CommandContract, "test_names_are_lower_case_words_with_hyphens", command=_shouting)
TestGreedy = caught_by(CommandContract, "test_an_unknown_option_is_named_and_ends_with_two", command=_greedy)


def _refuses_the_new(event: Event) -> None:
    if event.name == "something_new":
        raise InvalidParameterError(f"unknown event {event.name!r}")


def _needs_detail(event: Event) -> None:
    if "status" not in event.detail:
        raise MlcoreError("no status")


def _adds_to_it(event: Event) -> None:
    if isinstance(event.detail, dict):
        event.detail["seen"] = True


def _sends_at_once(event: Event) -> None:
    time.sleep(0.06)


def _prints(event: Event) -> None:
    os.write(2, event.name.encode())


TestRefusesTheNew = caught_by(
    EventContract, "test_events_of_later_versions_are_no_obstacle", listener=lambda: _refuses_the_new
)
TestNeedsDetail = caught_by(
    EventContract, "test_an_event_without_detail_is_no_obstacle", listener=lambda: _needs_detail
)
TestAddsToIt = caught_by(EventContract, "test_the_event_stays_as_it_was", listener=lambda: _adds_to_it)
TestSendsAtOnce = caught_by(EventContract, "test_hearing_is_quick", listener=lambda: _sends_at_once)
TestPrints = caught_by(EventContract, "test_hearing_prints_nothing", listener=lambda: _prints)
