"""Answers about moves in the registry and their history."""

from __future__ import annotations

from attrs import evolve

from mlcore.entities import Move, MoveKind
from mlcore.errors import UnsupportedError
from mlcore.interfaces import SupportsMoves
from mlcore.registry.moving import Mover
from mlcore.registry.names import check_alias, check_version
from mlcore.wire import limits
from mlcore.wire import requests_moves as r
from mlcore.wire.moves import check_comment
from mlcore.wire.moves_json import move_out
from mlcore.wire.stages import canonical_stage
from mlcore.wire.tracking_json import Json
from mlcore_server.calls.caller import Caller
from mlcore_server.calls.models import shown_version
from mlcore_server.stores import Stores

_MOST_MOVES = 10_000


class Moves:
    """The group `moves` of the endpoint table."""

    def __init__(self, stores: Stores) -> None:
        """Answer from *stores*."""
        self._stores = stores

    def stage(self, request: r.MoveStage, caller: Caller) -> Json:
        """Move a version to a stage."""
        self._registry()
        made = self._mover(request, caller).move_stage(
            request.name,
            check_version(request.version),
            canonical_stage(request.stage, archive_existing=request.archive_existing_versions),
            archive_existing=request.archive_existing_versions,
            comment=check_comment("comment", request.comment),
            expected=None if request.expected is None else canonical_stage(request.expected),
        )
        return {"model_version": shown_version(self._stores, made)}

    def alias(self, request: r.MoveAlias, caller: Caller) -> Json:
        """Point an alias to a version, or remove it."""
        expected = check_version(request.expected) if request.expected else request.expected
        self._registry()
        self._mover(request, caller).move_alias(
            request.name,
            check_alias(request.alias) if request.version else request.alias,
            check_version(request.version) if request.version else None,
            comment=check_comment("comment", request.comment),
            expected=expected,
        )
        return {}

    def remove(self, request: r.RemoveVersion, caller: Caller) -> Json:
        """Remove a version; one in Production by force only."""
        self._registry()
        comment = check_comment("comment", request.comment)
        mover = self._mover(request, caller)
        mover.delete_version(request.name, check_version(request.version), force=request.force, comment=comment)
        return {}

    def history(self, request: r.History, caller: Caller) -> Json:
        """Return a page of a model's history."""
        since = self._since(request.name, caller)
        most = limits.check_max_results(request.max_results, _MOST_MOVES)
        page = self._registry().history(request.name, max_results=most, page_token=request.page_token or None)
        shown = [move_out(self._placed(each)) for each in page.items if since is None or each.at >= since]
        out: Json = {"moves": shown} if shown else {}
        if page.next_token and len(shown) == len(page.items):
            out["next_page_token"] = page.next_token
        return out

    def alias_at(self, request: r.AliasAt, caller: Caller) -> Json:
        """Return the version to which an alias pointed at a time."""
        since = self._since(request.name, caller)
        found = self._registry().alias_at(request.name, request.alias, request.at)
        return {"version": found} if found is not None and (since is None or request.at >= since) else {}

    def _placed(self, move: Move) -> Move:
        """Return a move with sources as clients name them, as those of versions are."""
        if move.kind is not MoveKind.VERSION:
            return move
        outward = self._stores.places.outward
        return evolve(move, before=outward(move.before), after=outward(move.after))

    def _since(self, name: str, caller: Caller) -> int | None:
        """Return the time from which on a caller may know a model's history; None for all of it.

        Whoever may read a model need not know of one that had its name before, and was somebody else's.
        """
        return self._stores.registry.get_model(name).creation_timestamp if caller.is_limited else None

    def _mover(self, request: r.MoveStage | r.MoveAlias | r.RemoveVersion, caller: Caller) -> Mover:
        return self._stores.mover(caller, check_comment("user", request.user))

    def _registry(self) -> SupportsMoves:
        registry = self._stores.registry
        if not isinstance(registry, SupportsMoves):
            raise UnsupportedError("the server's registry keeps no history of moves")
        return registry
