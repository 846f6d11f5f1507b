"""The part of the contract suite of environment managers about locks, records, and processes that make one together."""

# ruff: noqa: D102  # the names of tests are sentences, which say it all
from __future__ import annotations

import re
import subprocess
import time

import pytest
from attrs import evolve

from mlcore.errors import NotFoundError
from mlcore.interfaces import EnvironmentManager, EnvironmentSpec
from mlcore.interfaces.environment import SupportsDescribing
from mlcore.projects.environments import locked
from mlcore.testing.environment_worker import spec_text
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.testing.processes import all_at_once, start_worker

_WORKER = "mlcore.testing.environment_worker"
_RACERS = 4
_PATIENCE_S = 120


class EnvironmentFixtures(PluginModuleContract):
    """What the tests of environment managers stand on."""

    @pytest.fixture
    def spec(self) -> EnvironmentSpec:
        """Return an environment that can be made."""
        return EnvironmentSpec()

    @pytest.fixture
    def other_spec(self) -> EnvironmentSpec:
        """Return another environment that can be made."""
        return EnvironmentSpec(requirements=("pip",))

    @pytest.fixture
    def broken_spec(self) -> EnvironmentSpec | None:
        """Return an environment that cannot be made, with a requirement `no-such-thing`; None where that is slow."""
        return None

    @pytest.fixture
    def build_spec(self) -> EnvironmentSpec | None:
        """Return an environment with build requirements that can be made; None where the manager knows none."""
        return None

    @pytest.fixture
    def opener(self) -> tuple[str, str] | None:
        """Return a module with the hook `environment` and the name by which other processes open the same manager.

        None where they can't; they have this process's variables of the environment.
        """
        return None


class EnvironmentAbilitiesContract(EnvironmentFixtures):
    """Locks that are made again, records, and processes that race or are killed."""

    def test_a_lock_makes_the_same_environment_again(
        self, environment: EnvironmentManager, other_spec: EnvironmentSpec
    ) -> None:
        if other_spec.image is not None:
            pytest.skip("an image is its own lock")
        lines = environment.lock(environment.create(other_spec))

        again = environment.create(locked(other_spec, lines))

        assert environment.lock(again) == lines

    def test_build_requirements_are_part_of_the_environment(
        self, environment: EnvironmentManager, build_spec: EnvironmentSpec | None
    ) -> None:
        if build_spec is None:
            pytest.skip("no fixture `build_spec`")

        env_id = environment.create(build_spec)

        assert environment.create(evolve(build_spec, build_requirements=())) != env_id
        without = environment.lock(environment.create(evolve(build_spec, build_requirements=())))
        assert set(environment.lock(env_id)) > set(without)

    def test_what_was_made_is_described(self, environment: EnvironmentManager, other_spec: EnvironmentSpec) -> None:
        if not isinstance(environment, SupportsDescribing):
            pytest.skip("it does not describe")
        env_id = environment.create(other_spec)

        found = environment.describe(env_id)

        assert found.env_id == env_id
        assert 0 < found.created_ms <= found.used_ms < time.time() * 1000 + 60_000
        assert found.size_bytes >= 0
        assert re.fullmatch(r"(\d+(\.\d+)*)?", found.python)
        assert set(other_spec.requirements) <= set(found.requirements)

    def test_a_command_is_a_use(self, environment: EnvironmentManager, spec: EnvironmentSpec) -> None:
        if not isinstance(environment, SupportsDescribing):
            pytest.skip("it does not describe")
        env_id = environment.create(spec)
        made = environment.describe(env_id)
        time.sleep(0.01)

        environment.command(env_id, ("python",))

        found = environment.describe(env_id)
        assert made.used_ms < found.used_ms < time.time() * 1000 + 60_000
        assert found.created_ms == made.created_ms

    def test_what_is_not_there_is_not_described(self, environment: EnvironmentManager) -> None:
        if not isinstance(environment, SupportsDescribing):
            pytest.skip("it does not describe")

        with pytest.raises(NotFoundError, match="'nope'"):
            environment.describe("nope")

    def test_racing_processes_make_one_environment(
        self, environment: EnvironmentManager, other_spec: EnvironmentSpec, opener: tuple[str, str] | None
    ) -> None:
        if opener is None:
            pytest.skip("no fixture `opener`")

        said = all_at_once([start_worker(_WORKER, *opener, spec_text(other_spec)) for _ in range(_RACERS)])

        env_id = environment.create(other_spec)
        assert said == [env_id] * _RACERS
        assert environment.list() == (env_id,)
        subprocess.run(environment.command(env_id, ("python", "-c", "")), check=True)  # noqa: S603  # the manager's own

    def test_what_a_killed_process_left_is_made_whole(
        self, environment: EnvironmentManager, other_spec: EnvironmentSpec, opener: tuple[str, str] | None
    ) -> None:
        if opener is None:
            pytest.skip("no fixture `opener`")
        started = time.monotonic()
        env_id = environment.create(other_spec)
        took_s = time.monotonic() - started
        whole = environment.lock(env_id)

        for share in (0.3, 0.7):
            environment.remove(env_id)
            with start_worker(_WORKER, *opener, spec_text(other_spec)) as child:
                assert child.stdin is not None and child.stdout is not None  # noqa: PT018  # for the type checker
                assert child.stdout.readline().strip() == "ready"
                child.stdin.write("go\n")
                child.stdin.flush()
                time.sleep(took_s * share)
                child.kill()

            assert environment.create(other_spec) == env_id
            assert environment.lock(env_id) == whole
            done = subprocess.run(environment.command(env_id, ("python", "-c", "")), timeout=_PATIENCE_S, check=False)  # noqa: S603  # the manager's own
            assert done.returncode == 0
