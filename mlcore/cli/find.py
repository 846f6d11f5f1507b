"""Find what a person means: an experiment by id or name, a run by id, by the start of its id, or by name."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import TypeVar

import click

from mlcore.cli.context import Cli
from mlcore.entities import Experiment, Run, ViewType
from mlcore.errors import InvalidParameterError, NotFoundError
from mlcore.tracking.client import Client

LATEST = "latest"
F = TypeVar("F", bound=Callable[..., object])

_WHOLE_ID = re.compile(r"^[0-9a-f]{32}$")
_SOME = 6  # candidates to name when a word fits several runs


def experiment_options(function: F) -> F:
    """Add `--experiment-id` and `--experiment-name`."""
    by_name = click.option("-n", "--experiment-name", metavar="NAME", help="Name of the experiment.")
    by_id = click.option("-x", "--experiment-id", metavar="ID", help="Id of the experiment.")
    return by_id(by_name(function))


def experiment(client: Client, experiment_id: str | None, name: str | None) -> Experiment:
    """Return the one experiment that the options name."""
    if (experiment_id is None) == (name is None):
        raise click.UsageError("give either --experiment-id or --experiment-name")
    if experiment_id is not None:
        return client.get_experiment(experiment_id)
    found = client.get_experiment_by_name(str(name))
    if found is None:
        raise NotFoundError(f"there is no experiment called {name!r} (see: mlcore experiments list)")
    return found


def experiments(client: Client, view: ViewType = ViewType.ACTIVE_ONLY) -> Iterator[Experiment]:
    """Return all experiments, page by page."""
    token: str | None = None
    while True:
        page = client.search_experiments(view_type=view, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def chosen_experiments(cli: Cli, ids: tuple[str, ...], name: str | None) -> list[Experiment]:
    """Return the experiments that the options name, else the one of the settings, else all active ones."""
    if ids and name is not None:
        raise click.UsageError("give either --experiment-id or --experiment-name")
    if ids:
        return [cli.client.get_experiment(each) for each in ids]
    given = cli.settings
    if name is not None:
        return [experiment(cli.client, None, name)]
    if given.experiment_id or given.experiment_name:
        return [experiment(cli.client, given.experiment_id, None if given.experiment_id else given.experiment_name)]
    return list(experiments(cli.client))


def run(client: Client, word: str) -> Run:
    """Return the run that *word* means: its id, the unique start of its id, its unique name, or `latest`.

    Raises NotFoundError: nothing fits. InvalidParameterError: several fit; names some.
    """
    if _WHOLE_ID.match(word):
        return client.get_run(word)
    ids = [e.experiment_id for e in experiments(client, ViewType.ALL)]
    for text in _filters(word):
        found = client.search_runs(ids, text, ViewType.ALL, max_results=_SOME)
        if len(found) > 1:
            shown = ", ".join(f"{r.info.run_id} ({r.info.run_name})" for r in found)
            more = " and more" if found.token else ""
            raise InvalidParameterError(f"{word!r} fits {len(found)} runs: {shown}{more}; give more of the id")
        if found:
            return found[0]
    if word == LATEST:
        newest = client.search_runs(ids, max_results=1, order_by=["start_time DESC"])
        if newest:
            return newest[0]
    # a store of another product may have ids of another form
    return client.get_run(word) if len(word) > _LEAST_FOREIGN_ID else _nothing(word)


_LEAST_FOREIGN_ID = 20


def _nothing(word: str) -> Run:
    raise NotFoundError(f"no run has the id or name {word!r} (see: mlcore runs list)")


def _filters(word: str) -> Iterator[str]:
    quote = '"' if "'" in word else "'"
    if quote in word:
        return  # no run can be looked up by a name with both kinds of quotes
    if re.fullmatch(r"[0-9a-f]+", word):
        yield f"attributes.run_id LIKE {quote}{word}%{quote}"
    yield f"attributes.run_name = {quote}{word}{quote}"


def run_argument(function: F) -> F:
    """Add the argument RUN, which may also be given as MLflow's option `--run-id`."""
    return _run_words(function, one=True)


def runs_argument(function: F) -> F:
    """Add the argument RUN..., which may also be given as MLflow's option `--run-id`."""
    return _run_words(function, one=False)


def _run_words(function: F, *, one: bool) -> F:
    @functools.wraps(function)
    def gathered(*args: object, given: tuple[str, ...], run_id: tuple[str, ...], **kwargs: object) -> object:
        words = (*given, *run_id)
        if not words or (one and len(words) > 1):
            raise click.UsageError("give one RUN" if one else "give at least one RUN")
        return function(*args, **({"word": words[0]} if one else {"words": words}), **kwargs)

    argument = click.argument("given", metavar="RUN" if one else "RUN...", nargs=-1)
    option = click.option("-r", "--run-id", multiple=True, metavar="RUN", help="The same as the argument RUN.")
    return argument(option(gathered))  # type: ignore[return-value]  # click calls it by name


def tags(pairs: tuple[str, ...]) -> dict[str, str]:
    """Return `key=value` options as a mapping."""
    wrong = next((pair for pair in pairs if "=" not in pair), None)
    if wrong is not None:
        raise click.BadParameter(f"expected key=value, got {wrong!r}", param_hint="'--tag'")
    return {key: value for key, _, value in (pair.partition("=") for pair in pairs)}
