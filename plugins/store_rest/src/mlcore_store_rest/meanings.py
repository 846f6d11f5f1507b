"""What servers' error messages mean: more exact errors than the protocol's codes, in mlcore's own words."""

from __future__ import annotations

import re

from mlcore.errors import (
    AlreadyExistsError,
    InvalidParameterError,
    InvalidStateError,
    MlcoreError,
    NotFoundError,
    ParamConflictError,
)

_STATE = "must be in the 'active' state, it is 'deleted': restore it first"

# Pattern, error, and text; an empty text keeps the server's. The first group of patterns are mlcore's own words.
_MEANINGS: tuple[tuple[re.Pattern[str], type[MlcoreError], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), error, text)
    for pattern, error, text in (
        (r"^(?:the )?(?:run|experiment) .* must be in the 'active' state", InvalidStateError, ""),
        (r"^version .* is in Production and is not deleted", InvalidStateError, ""),
        (r"^the request .* is [A-Z]+ already, by ", InvalidStateError, ""),
        (r"param .* has the value .* already, got ", ParamConflictError, ""),
        (r"^No Experiment with id=(\S+) exists", NotFoundError, "no experiment with id='{0}'"),
        (r"^Run with id=(\S*) not found", NotFoundError, "run with id='{0}' not found"),
        (r"^The run (\S+) must be in the 'active' state", InvalidStateError, "run '{0}' " + _STATE),
        (r"^The experiment (\S+) must be in the 'active' state", InvalidStateError, "experiment '{0}' " + _STATE),
        (r"^Cannot rename a non-active experiment", InvalidStateError, "the experiment " + _STATE),
        (r"^No tag with name: (.*) in run with id (\S+)", NotFoundError, "no tag with name '{0}' in run with id='{1}'"),
        (r"^No tag with name: (.*) in experiment", NotFoundError, "no tag '{0}' in the experiment"),
        (
            r"^Changing param values is not allowed\. Params were already logged=.*"
            r"'key': '(.*?)', 'old_value': '(.*?)', 'new_value': '(.*?)'\}",
            ParamConflictError,
            "param '{0}' has the value '{1}' already, got '{2}'",
        ),
        (
            r"^Changing param values is not allowed\. Param with key='(.*?)' was already logged with value='(.*?)' for "
            r"run ID='\S+'\. Attempted logging new value '(.*)'",
            ParamConflictError,
            "param '{0}' has the value '{1}' already, got '{2}'",
        ),
        (r"^Invalid page token", InvalidParameterError, "invalid page token"),
        (r"^Registered Model \(name=(.*?)\) already exists", AlreadyExistsError, "model '{0}' already exists"),
        (r"^Registered Model with name=(.*) not found", NotFoundError, "no registered model '{0}'"),
        (
            r"^Model Version \(name=(.*), version=(.*)\) not found",
            NotFoundError,
            "no version '{1}' of registered model '{0}'",
        ),
        (r"^Registered model alias (.*) not found", NotFoundError, "no alias '{0}' of the registered model"),
        (
            r"cannot archive existing model versions because '(.*?)' is not an Active stage",
            InvalidParameterError,
            "cannot archive the versions that are there: '{0}' is not an active stage, Staging and Production are",
        ),
        (r"^Invalid Model Version stage: (.*?)\. ", InvalidParameterError, "invalid stage '{0}'"),
    )
)


def refined(err: MlcoreError) -> MlcoreError:
    """Return the error that *err*'s message means; *err* itself when it says no more than its code."""
    for pattern, kind, text in _MEANINGS:
        found = pattern.search(err.message)
        if found:
            better = kind(text.format(*found.groups()) if text else err.message)
            for note in getattr(err, "__notes__", ()):
                better.add_note(note)
            return better
    return err
