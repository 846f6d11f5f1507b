"""Images of containers that project code runs in: got, built with the code in them, and pushed, by the program `docker`.

Every command is a list of arguments and nothing is put into the text of a Dockerfile. The program finds its engine, and
its credentials for registries, as it does for its user.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from mlcore.errors import MissingDependencyError, ProjectError
from mlcore.interfaces.project_backend import Job
from mlcore.projects.build_context import write_build_context

CODE = "/mlflow/projects/code"  # where MLflow's users expect their project
_WORD = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
_REPOSITORY = rf"(?:{_HOST}/)?{_WORD}(?:/{_WORD})*"
_IMAGE = re.compile(rf"({_REPOSITORY})(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?(?:@sha256:[0-9a-f]{{64}})?")
_ID = re.compile(r"sha256:[0-9a-f]{64}")
_LAST_CHARS = 2000


def checked_image(name: str) -> str:
    """Return *name* when it is one of an image, or the id of one. Raises ProjectError: it is neither."""
    if _IMAGE.fullmatch(name) or _ID.fullmatch(name):
        return name
    raise ProjectError(
        f"invalid name of an image {name!r}: expected one such as 'python:3.11-slim' or 'registry.example.com/team/image:tag'"
    )


def repository_of(name: str) -> str:
    """Return an image's name without tag and digest; of an id, nothing."""
    found = _IMAGE.fullmatch(name)
    return found[1] if found else ""


def words_inside(job: Job) -> tuple[str, ...]:
    """Return a job's argv with the inputs that are in the project at their place in the image, below `CODE`."""
    moved = {
        str(path): f"{CODE}/{path.relative_to(job.directory).as_posix()}"
        for path in job.inputs
        if path.is_relative_to(job.directory)
    }
    if not moved:
        return job.argv
    longest_first = sorted(moved, key=len, reverse=True)
    # `--rows=PATH` and `PATH,PATH` too, but no other file whose name begins the same
    found = re.compile(rf"({'|'.join(map(re.escape, longest_first))})(?![\w.-])")
    return tuple(found.sub(lambda match: moved[match[1]], word) for word in job.argv)


class DockerProgram:
    """The program `docker`, or one that takes the same arguments."""

    def __init__(self, name: str = "docker") -> None:
        """Look for the program *name* when it is first needed."""
        self._name = name

    @property
    def path(self) -> str:
        """The program's path. Raises MissingDependencyError: it is not on PATH."""
        found = shutil.which(self._name)
        if found is None:
            raise MissingDependencyError(
                f"projects in containers need the program {self._name!r} on PATH; install Docker's command line, "
                "or run without containers: --env-manager local"
            )
        return found

    def run(self, arguments: Sequence[str], doing: str, given: IO[bytes] | None = None) -> str:
        """Run it and return what it prints.

        doing: what for, for the message: `get the image 'x'`. given: a file for its standard input.
        Raises ProjectError: it failed; with its own words.
        """
        done = subprocess.run(  # noqa: S603  # an argument list; names of images are checked
            [self.path, *arguments],
            stdin=given or subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip())[-_LAST_CHARS:]
            raise ProjectError(f"docker could not {doing} (exit code {done.returncode}): {said or 'it said nothing'}")
        return done.stdout

    def found(self, image: str) -> str | None:
        """Return the id of an image that the engine has; None when it has none of that name.

        Raises ProjectError: the engine does not answer.
        """
        try:
            arguments = ["image", "inspect", "--format", "{{.Id}}", checked_image(image)]
            return self.run(arguments, f"look for the image {image!r}").strip()
        except ProjectError as err:
            if "no such image" in str(err).lower() or "not found" in str(err).lower():
                return None
            raise

    def pull(self, image: str) -> str:
        """Fetch an image; return its id. Raises ProjectError: there is none; with the registry's words."""
        self.run(["pull", "--quiet", checked_image(image)], f"get the image {image!r}")
        return self.inspected(image, "{{.Id}}")

    def inspected(self, image: str, template: str) -> str:
        """Return what the engine knows of an image, in the form of a Go *template*."""
        return self.run(["image", "inspect", "--format", template, image], f"look at the image {image!r}").strip()

    def digest(self, image: str) -> str:
        """Return `NAME@sha256:...`, by which any engine gets this very image, or its id when no registry has it."""
        listed = self.inspected(image, "{{range .RepoDigests}}{{.}}\n{{end}}{{.Id}}").split()
        own = [each for each in listed if repository_of(each) == repository_of(image)]
        return (own or listed)[0]

    def built(self, directory: Path, base: str) -> str:
        """Build an image from *base* with what is in *directory* in it, at `CODE`; return the image's id.

        What the directory's `.dockerignore` names stays out. Unchanged content gives the same image, in an instant.
        """
        with tempfile.TemporaryFile() as context, tempfile.TemporaryDirectory(prefix="mlcore-image-") as folder:
            write_build_context(directory, CODE, context)
            context.seek(0)
            told = Path(folder) / "id"
            arguments = ["build", "--quiet", "--force-rm", "--iidfile", str(told)]
            arguments += ["--build-arg", f"IMAGE={checked_image(base)}", "-"]
            self.run(arguments, f"build an image of {str(directory)!r} on {base!r}", context)
            return told.read_text("utf-8").strip()

    def tag(self, image: str, name: str) -> None:
        """Give an image another name."""
        self.run(["tag", checked_image(image), checked_image(name)], f"name an image {name!r}")

    def push(self, name: str) -> str:
        """Send an image to the registry that its name says; return its name with digest."""
        self.run(["push", "--quiet", checked_image(name)], f"push the image {name!r}")
        return self.digest(name)

    def forget(self, image: str) -> None:
        """Take a name off an image, and delete it when that was the last; one in use, or gone, is left as it is."""
        arguments = [self.path, "image", "rm", checked_image(image)]
        subprocess.run(arguments, capture_output=True, check=False)  # noqa: S603  # an argument list
