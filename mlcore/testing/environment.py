"""The contract suite of environment managers.

To use it, inherit in a test module and give a fixture `environment`, a manager without environments:

    class TestMyManager(EnvironmentContract):
        plugin_module = "mlcore_env_mine.plugin"

        @pytest.fixture
        def environment(self, tmp_path: Path) -> EnvironmentManager: ...

`spec`, `other_spec` and `broken_spec` may be replaced, where making an environment needs a network. `build_spec` and
`opener` switch further tests on: build requirements, and processes that race or are killed.
"""

# ruff: noqa: D102  # the names of tests are sentences, which say it all
from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import evolve

from mlcore.errors import InvalidParameterError, NotFoundError
from mlcore.interfaces import EnvironmentManager, EnvironmentSpec
from mlcore.testing.environment_abilities import EnvironmentAbilitiesContract
from mlcore.testing.threads import race

_ODD = ("", "a b", "$HOME", "`id`", "quote'\"", "*", "ß\n2", "--flag=x;y")


class EnvironmentContract(EnvironmentAbilitiesContract):
    """Everything that the kernel relies on in an environment manager."""

    def test_the_manager_has_the_methods_of_the_contract(self, environment: EnvironmentManager) -> None:
        assert isinstance(environment, EnvironmentManager)

    def test_a_new_manager_has_no_environments(self, environment: EnvironmentManager) -> None:
        assert environment.list() == ()

    def test_the_same_environment_is_made_once(self, environment: EnvironmentManager, spec: EnvironmentSpec) -> None:
        first = environment.create(spec)

        assert environment.create(spec) == first
        assert environment.list() == (first,)

    def test_another_specification_is_another_environment(
        self, environment: EnvironmentManager, spec: EnvironmentSpec, other_spec: EnvironmentSpec
    ) -> None:
        made = {environment.create(spec), environment.create(other_spec)}

        assert len(made) == 2
        assert set(environment.list()) == made

    def test_environments_are_listed_in_order(
        self, environment: EnvironmentManager, spec: EnvironmentSpec, other_spec: EnvironmentSpec
    ) -> None:
        made = sorted((environment.create(other_spec), environment.create(spec)))
        environment.remove(made[0])
        environment.create(spec)
        environment.create(other_spec)

        assert list(environment.list()) == made

    def test_the_order_of_requirements_makes_no_other_environment(
        self, environment: EnvironmentManager, other_spec: EnvironmentSpec
    ) -> None:
        turned = evolve(other_spec, requirements=other_spec.requirements[::-1])

        assert environment.create(turned) == environment.create(other_spec)

    def test_a_command_runs_in_the_environment(self, environment: EnvironmentManager, spec: EnvironmentSpec) -> None:
        env_id = environment.create(spec)

        argv = environment.command(env_id, ("python", "-c", "import sys; print(*sys.version_info[:2])"))

        done = subprocess.run(argv, capture_output=True, text=True, check=True)  # noqa: S603  # the manager's own
        wanted = spec.python or ".".join(map(str, sys.version_info[:2]))
        assert done.stdout.split() == wanted.split(".")[:2]

    @pytest.mark.skipif(os.name != "posix", reason="the decoy is a shell script")
    def test_another_python_on_path_is_not_the_one_of_the_environment(
        self, environment: EnvironmentManager, spec: EnvironmentSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        env_id = environment.create(spec)
        for name in ("python", "python3"):
            (tmp_path / name).write_text("#!/bin/sh\necho decoy\n")
            (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ.get('PATH', os.defpath)}")

        argv = environment.command(env_id, ("python", "-c", "print('real')"))

        done = subprocess.run(argv, capture_output=True, text=True, check=True)  # noqa: S603  # the manager's own
        assert done.stdout.strip() == "real"

    def test_arguments_reach_the_command_as_they_are(
        self, environment: EnvironmentManager, spec: EnvironmentSpec
    ) -> None:
        env_id = environment.create(spec)

        argv = environment.command(env_id, ("python", "-c", "import sys; print(ascii(sys.argv[1:]))", *_ODD))

        done = subprocess.run(argv, capture_output=True, text=True, check=True)  # noqa: S603  # the manager's own
        assert done.stdout.strip() == ascii([*_ODD])

    def test_a_lock_names_exact_versions(self, environment: EnvironmentManager, other_spec: EnvironmentSpec) -> None:
        lines = environment.lock(environment.create(other_spec))

        assert all("==" in line or " @ " in line for line in lines), lines
        locked = {re.split(r"==| @ ", line)[0].lower() for line in lines}
        assert {re.split(r"[^\w.\-]", line)[0].lower() for line in other_spec.requirements} <= locked

    def test_a_removed_environment_is_gone_and_can_be_made_again(
        self, environment: EnvironmentManager, spec: EnvironmentSpec
    ) -> None:
        env_id = environment.create(spec)

        environment.remove(env_id)

        assert environment.list() == ()
        assert environment.create(spec) == env_id

    def test_an_unknown_environment_is_named_in_the_error(self, environment: EnvironmentManager) -> None:
        with pytest.raises(NotFoundError, match="'nope'"):
            environment.remove("nope")
        with pytest.raises(NotFoundError, match="'nope'"):
            environment.command("nope", ("python",))
        with pytest.raises(NotFoundError, match="'nope'"):
            environment.lock("nope")

    def test_racing_creators_make_one_environment(self, environment: EnvironmentManager, spec: EnvironmentSpec) -> None:
        found = race(8, lambda _: environment.create(spec))

        assert len(set(map(str, found))) == 1
        assert environment.list() == (found[0],)

    def test_an_environment_that_cannot_be_made_says_why_and_leaves_nothing(
        self, environment: EnvironmentManager, broken_spec: EnvironmentSpec | None
    ) -> None:
        if broken_spec is None:
            pytest.skip("no fixture `broken_spec`")

        with pytest.raises(InvalidParameterError, match="no-such-thing"):
            environment.create(broken_spec)

        assert environment.list() == ()
