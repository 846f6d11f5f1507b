"""The contract suite of project backends.

To use it, inherit in a test module and give a fixture `backend`:

    class TestMyBackend(ProjectBackendContract):
        plugin_module = "mlcore_project_mine.plugin"

        @pytest.fixture
        def backend(self) -> ProjectBackend: ...

`python` is the interpreter that jobs find at the place where they run, by default the running one.
"""

# ruff: noqa: D102  # the names of tests are sentences, which say it all
from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import ClassVar

import pytest
from attrs import evolve

from mlcore.errors import MlcoreError, NotFoundError
from mlcore.interfaces import Job, JobStatus, ProjectBackend
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.testing.threads import race

_ODD = ("", "a b", "$HOME", "`id`", "quote'\"", "*", "ß", "; echo no")
_SLEEP = "import time; print('started', flush=True); time.sleep(600)"


class JobFixtures(PluginModuleContract):
    """What the tests of backends stand on.

    timeout_s: how long a trivial job may take at most.
    """

    python: ClassVar[str] = sys.executable
    timeout_s: ClassVar[float] = 60.0

    def job(self, directory: Path, code: str, *arguments: str, **env: str) -> Job:
        """Describe a job that runs Python *code* in *directory*."""
        return Job("a" * 32, (self.python, "-c", code, *arguments), directory, env)

    def run(self, backend: ProjectBackend, job: Job) -> tuple[JobStatus, list[str]]:
        """Run a job to its end; return its status and output."""
        job_id = backend.submit(job)
        status = backend.wait(job_id, self.timeout_s)
        return status, list(backend.logs(job_id))


class ProjectBackendContract(JobFixtures):
    """Everything that the kernel relies on in a project backend."""

    def test_the_backend_has_the_methods_of_the_contract(self, backend: ProjectBackend) -> None:
        assert isinstance(backend, ProjectBackend)

    @pytest.mark.parametrize(
        ("code", "status"), [(0, JobStatus.FINISHED), (1, JobStatus.FAILED), (3, JobStatus.FAILED)]
    )
    def test_the_exit_code_decides_how_a_job_ended(
        self, backend: ProjectBackend, tmp_path: Path, code: int, status: JobStatus
    ) -> None:
        job_id = backend.submit(self.job(tmp_path, f"raise SystemExit({code})"))

        assert backend.wait(job_id, self.timeout_s) is status
        assert backend.status(job_id) is status

    def test_arguments_reach_the_job_as_they_are(self, backend: ProjectBackend, tmp_path: Path) -> None:
        _, lines = self.run(backend, self.job(tmp_path, "import sys; print(ascii(sys.argv[1:]))", *_ODD))

        assert lines == [ascii([*_ODD])]

    def test_a_job_sees_its_variables(self, backend: ProjectBackend, tmp_path: Path) -> None:
        code = "import os; print(ascii(os.environ['MLFLOW_RUN_ID']), 'PATH' in os.environ)"

        _, lines = self.run(backend, self.job(tmp_path, code, MLFLOW_RUN_ID="ß 1"))

        assert lines == [f"{'ß 1'!a} True"]

    def test_a_job_runs_in_its_directory(self, backend: ProjectBackend, tmp_path: Path) -> None:
        directory = tmp_path / "not the working directory"
        directory.mkdir()
        (directory / "data.txt").write_text("found me")

        _, lines = self.run(backend, self.job(directory, "print(open('data.txt').read())"))

        assert lines == ["found me"]

    def test_output_comes_line_by_line_in_order_and_whole(self, backend: ProjectBackend, tmp_path: Path) -> None:
        status, lines = self.run(backend, self.job(tmp_path, "for n in range(20000): print('line', n)"))

        assert status is JobStatus.FINISHED
        assert lines == [f"line {n}" for n in range(20000)]

    def test_errors_of_the_job_are_in_its_output(self, backend: ProjectBackend, tmp_path: Path) -> None:
        status, lines = self.run(backend, self.job(tmp_path, "raise ValueError('what went wrong')"))

        assert status is JobStatus.FAILED
        assert any("what went wrong" in line for line in lines)

    def test_output_that_is_no_text_is_no_obstacle(self, backend: ProjectBackend, tmp_path: Path) -> None:
        code = r"import sys; sys.stdout.buffer.write(b'\xff\xfe\nafter\n')"

        status, lines = self.run(backend, self.job(tmp_path, code))

        assert (status, lines[-1]) == (JobStatus.FINISHED, "after")

    def test_output_can_be_read_while_the_job_runs(self, backend: ProjectBackend, tmp_path: Path) -> None:
        job_id = backend.submit(self.job(tmp_path, _SLEEP))

        assert next(iter(backend.logs(job_id))) == "started"
        assert backend.status(job_id) is JobStatus.RUNNING
        backend.cancel(job_id)

    def test_output_that_is_read_while_the_job_runs_ends_with_it(self, backend: ProjectBackend, tmp_path: Path) -> None:
        job_id = backend.submit(self.job(tmp_path, "import time; print('last', flush=True); time.sleep(0.3)"))

        assert list(backend.logs(job_id)) == ["last"]
        assert backend.wait(job_id, self.timeout_s) is JobStatus.FINISHED

    def test_submitting_does_not_wait(self, backend: ProjectBackend, tmp_path: Path) -> None:
        started = time.monotonic()

        job_id = backend.submit(self.job(tmp_path, _SLEEP))

        assert time.monotonic() - started < self.timeout_s / 2
        assert backend.status(job_id) in (JobStatus.PENDING, JobStatus.RUNNING)
        backend.cancel(job_id)

    def test_waiting_ends_with_its_time_and_tells_the_present_state(
        self, backend: ProjectBackend, tmp_path: Path
    ) -> None:
        job_id = backend.submit(self.job(tmp_path, _SLEEP))

        assert backend.wait(job_id, 0.1) in (JobStatus.PENDING, JobStatus.RUNNING)
        backend.cancel(job_id)

    def test_a_cancelled_job_is_killed(self, backend: ProjectBackend, tmp_path: Path) -> None:
        job_id = backend.submit(self.job(tmp_path, _SLEEP))
        next(iter(backend.logs(job_id)))

        backend.cancel(job_id)

        assert backend.wait(job_id, self.timeout_s) is JobStatus.KILLED
        assert backend.status(job_id) is JobStatus.KILLED

    def test_cancelling_what_has_ended_changes_nothing(self, backend: ProjectBackend, tmp_path: Path) -> None:
        job_id = backend.submit(self.job(tmp_path, "pass"))
        backend.wait(job_id, self.timeout_s)

        backend.cancel(job_id)
        backend.cancel(job_id)

        assert backend.status(job_id) is JobStatus.FINISHED

    def test_output_can_be_read_again(self, backend: ProjectBackend, tmp_path: Path) -> None:
        job_id = backend.submit(self.job(tmp_path, "print('once')"))
        backend.wait(job_id, self.timeout_s)

        assert [list(backend.logs(job_id)) for _ in range(2)] == [["once"], ["once"]]

    def test_jobs_run_side_by_side_under_ids_of_their_own(self, backend: ProjectBackend, tmp_path: Path) -> None:
        def work(number: int) -> tuple[str, list[str]]:
            job_id = backend.submit(self.job(tmp_path, f"print({number})"))
            backend.wait(job_id, self.timeout_s)
            return job_id, list(backend.logs(job_id))

        found = [each for each in race(4, work) if not isinstance(each, MlcoreError)]

        assert [lines for _, lines in found] == [[str(number)] for number in range(4)]
        assert len({job_id for job_id, _ in found}) == 4

    def test_an_unknown_job_is_named_in_the_error(self, backend: ProjectBackend) -> None:
        with pytest.raises(NotFoundError, match="'nope'"):
            backend.status("nope")
        with pytest.raises(NotFoundError, match="'nope'"):
            backend.wait("nope", 0.0)
        with pytest.raises(NotFoundError, match="'nope'"):
            backend.cancel("nope")
        with pytest.raises(NotFoundError, match="'nope'"):
            next(iter(backend.logs("nope")))

    def test_a_program_that_is_not_there_is_named(self, backend: ProjectBackend, tmp_path: Path) -> None:
        job = evolve(self.job(tmp_path, ""), argv=("no-such-program-at-all",))
        try:
            status, lines = self.run(backend, job)
        except MlcoreError as err:
            status, lines = JobStatus.FAILED, [str(err)]

        assert status is JobStatus.FAILED
        assert any("no-such-program-at-all" in line for line in lines)
