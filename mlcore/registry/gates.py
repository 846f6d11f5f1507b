"""Ask the plugins whether a version may get a stage or an alias."""

from __future__ import annotations

from mlcore.entities import MoveKind, Transition
from mlcore.errors import PermissionDeniedError, PluginError
from mlcore.hookspecs import HookSpecs
from mlcore.plugins import Plugins

_REASON_LENGTH = 1000


def pass_gates(plugins: Plugins, transition: Transition) -> None:
    """Return when every gate lets a move pass; what changes nothing needs to pass none.

    Raises PermissionDeniedError: a gate refuses, and the message has its name and reason; or one fails, which refuses, too.
    """
    if transition.before == transition.after:
        return
    try:
        refusals = plugins.strictly(HookSpecs.before_transition, transition=transition)
    except PluginError as err:
        raise PermissionDeniedError(
            f"{told(transition)}: {err.message}; a gate that fails lets nothing pass: repair the plugin or switch it off"
        ) from err
    if refusals:
        reasons = "; ".join(f"plugin {who} refuses: {_reason(why)}" for who, why in refusals)
        raise PermissionDeniedError(f"{told(transition)}: {reasons}")


def told(transition: Transition) -> str:
    """Return what did not happen, in words."""
    subject, before, after = transition.subject, transition.before, transition.after
    if transition.kind is MoveKind.STAGE:
        return f"version {subject!r} of registered model {transition.name!r} is not moved from stage {before!r} to {after!r}"
    alias = f"alias {subject!r} of registered model {transition.name!r}"
    if not after:
        return f"{alias} is not removed from version {before!r}"
    return f"{alias} is not moved from {f'version {before!r}' if before else 'nowhere'} to version {after!r}"


def _reason(answer: object) -> str:
    text = " ".join(str(answer).split())
    return text[:_REASON_LENGTH] or "no reason is given"
