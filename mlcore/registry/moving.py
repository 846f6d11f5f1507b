"""The one way by which anything moves in a registry: past the gates, into the store, and on to the listeners.

Clients and servers go it alike. Gates and listeners are asked in the process that makes the move; with a server in
between, in the client's and in the server's.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, frozen

from mlcore.entities import (
    ModelVersion,
    MoveKind,
    MoveNote,
    RegisteredModel,
    RequestStatus,
    Transition,
    TransitionRequest,
)
from mlcore.errors import ConflictError, NotFoundError, PermissionDeniedError, UnsupportedError
from mlcore.hookspecs import HookSpecs
from mlcore.interfaces import RegistryStore, SupportsMoves, SupportsRequests
from mlcore.plugins import Plugins
from mlcore.registry.gates import pass_gates
from mlcore.registry.happened import Teller
from mlcore.registry.store_moves import archived_by, noting, put_alias, put_stage, remove_version
from mlcore.uris import redacted

_TRIES = 5  # of a move whose start changes between the gates' word and the store's step
_NO_STAGE, _ARCHIVED = "None", "Archived"


@frozen
class Mover:
    """Makes moves in one registry for one user.

    user: who wants the moves; empty when nobody knows.
    told_by: `client` or `server`, for the listeners.
    is_proven: whether it is certain that *user* is who they say; then nobody approves a request of their own.
    """

    plugins: Plugins
    store: RegistryStore
    user: str = ""
    told_by: str = "client"
    is_proven: bool = False

    def create_model(
        self, name: str, *, description: str, tags: Mapping[str, str], comment: str = ""
    ) -> RegisteredModel:
        """Create a registered model. Raises AlreadyExistsError: the name is taken."""
        note = self._note(comment)
        made = noting(self.store, note).create_model(name, description=description, tags=tags)
        self._teller.tell("model_created", name, note, {})
        return made

    def rename_model(self, name: str, new_name: str, *, comment: str = "") -> RegisteredModel:
        """Give a registered model another name. Raises AlreadyExistsError: the name is taken."""
        note = self._note(comment)
        changed = noting(self.store, note).update_model(name, new_name=new_name, description=None)
        self._teller.tell("model_renamed", new_name, note, {"from": name, "to": new_name})
        return changed

    def delete_model(self, name: str, *, comment: str = "") -> None:
        """Remove a registered model with all its versions. Raises PermissionDeniedError: a gate keeps one of its aliases."""
        note = self._note(comment)
        if self._is_gated:
            for alias, number in self.store.get_model(name).aliases.items():
                self._pass(Transition(name, MoveKind.ALIAS, alias, number, "", None, note))
        noting(self.store, note).delete_model(name)
        self._teller.tell("model_deleted", name, note, {})

    def create_version(
        self,
        name: str,
        source: str,
        *,
        run_id: str | None,
        run_link: str | None,
        description: str,
        tags: Mapping[str, str],
    ) -> ModelVersion:
        """Add the next version of a registered model."""
        note = self._note("")
        made = noting(self.store, note).create_version(
            name, source, run_id=run_id, run_link=run_link, description=description, tags=tags
        )
        detail = {"version": made.version, "source": redacted(made.source), "run_id": made.run_id or ""}
        self._teller.tell("version_created", name, note, detail)
        return made

    def delete_version(self, name: str, version: str, *, force: bool, comment: str = "") -> None:
        """Remove a version and the aliases that point to it.

        Raises InvalidStateError: it is in Production, and nobody forces it. PermissionDeniedError: a gate keeps an alias.
        """
        note = self._note(comment)
        found = self.store.get_version(name, version)
        for alias in found.aliases:
            self._pass(Transition(name, MoveKind.ALIAS, alias, version, "", None, note))
        remove_version(self.store, found, note=note, force=force)
        self._teller.tell("version_deleted", name, note, {"version": version, "stage": found.current_stage})
        for alias in found.aliases:
            self._teller.tell("alias_moved", name, note, {"alias": alias, "from": version, "to": ""})

    def move_stage(
        self,
        name: str,
        version: str,
        stage: str,
        *,
        archive_existing: bool = False,
        comment: str = "",
        expected: str | None = None,
    ) -> ModelVersion:
        """Move a version to a stage.

        expected: the stage in which the caller believes it to be; None for any.
        Raises PermissionDeniedError: a gate refuses. ConflictError: it is in another stage than *expected*.
        """
        note = self._note(comment)
        if not self._is_gated and not self._teller.is_heard:
            return put_stage(
                self.store, name, version, stage, archive_existing=archive_existing, note=note, expected=expected
            )
        for left in reversed(range(_TRIES)):
            before = self.store.get_version(name, version).current_stage
            before = before if expected is None else expected  # what is made, the store sees to it, starts there
            move = Transition(name, MoveKind.STAGE, version, before, stage, version, note)
            self._pass(move)
            try:
                made = put_stage(
                    self.store,
                    name,
                    version,
                    stage,
                    archive_existing=archive_existing,
                    note=note,
                    expected=self._believed(expected, before),
                )
            except ConflictError:
                if expected is not None or not left:
                    raise
            else:
                self._tell_stages(move, archive_existing=archive_existing)
                return made
        raise AssertionError("the last try returns or raises")

    def move_alias(
        self, name: str, alias: str, version: str | None, *, comment: str = "", expected: str | None = None
    ) -> None:
        """Point an alias to a version; the version None removes it.

        expected: the version to which the caller believes it to point, empty for none; None for any.
        Raises PermissionDeniedError: a gate refuses. ConflictError: it points elsewhere than *expected*.
        """
        note = self._note(comment)
        if not self._is_gated and not self._teller.is_heard:
            return put_alias(self.store, name, alias, version, note=note, expected=expected)
        for left in reversed(range(_TRIES)):
            before = self.store.get_model(name).aliases.get(alias, "")
            before = before if expected is None else expected
            self._pass(Transition(name, MoveKind.ALIAS, alias, before, version or "", version, note))
            try:
                put_alias(self.store, name, alias, version, note=note, expected=self._believed(expected, before))
            except ConflictError:
                if expected is not None or not left:
                    raise
            else:
                if before != (version or ""):
                    self._teller.tell("alias_moved", name, note, {"alias": alias, "from": before, "to": version or ""})
                return None
        raise AssertionError("the last try returns or raises")

    def request(self, request: TransitionRequest) -> TransitionRequest:
        """Ask that a version be moved to a stage once somebody approves it. Raises UnsupportedError: no registry for it."""
        note = self._note(request.comment)
        made = self._requests.create_request(request)
        self._teller.tell_request("transition_requested", made, note)
        return made

    def decide(self, request_id: str, status: RequestStatus, *, comment: str = "") -> TransitionRequest:
        """Approve, reject or cancel a request; approval moves the version.

        Raises NotFoundError: unknown. InvalidStateError: it was decided before. PermissionDeniedError: a gate refuses the
        move, or who asked for it approves it.
        """
        note, asked = self._note(comment), self._requests.get_request(request_id)
        is_move = status is RequestStatus.APPROVED and asked.status is RequestStatus.PENDING
        move = Transition(asked.name, MoveKind.STAGE, asked.version, "", asked.stage, asked.version, note)
        if is_move:
            if self.is_proven and asked.user == self.user:
                raise PermissionDeniedError(
                    f"the request {request_id!r} is your own: somebody else than {self.user!r} has to approve it"
                )
            before = self.store.get_version(asked.name, asked.version).current_stage
            move = evolve(move, before=before, note=MoveNote(asked.user, asked.comment))
            self._pass(move)
        done = self._requests.decide_request(request_id, status, note=note)
        self._teller.tell_request("transition_decided", done, note)
        if is_move:
            self._tell_stages(evolve(move, note=note), archive_existing=asked.archive_existing)
        return done

    def adopt(self, version: ModelVersion) -> None:
        """Let the gates see a version that comes from another registry with a stage and aliases.

        One that has come before moves nothing when it comes again.
        Raises PermissionDeniedError: a gate refuses.
        """
        note = self._note("")
        if not self._is_gated or self._has(version):
            return
        name, number, stage = version.name, version.version, version.current_stage
        self._pass(Transition(name, MoveKind.STAGE, number, _NO_STAGE, stage, number, note))
        for alias in version.aliases:
            self._pass(Transition(name, MoveKind.ALIAS, alias, "", number, number, note))

    def _has(self, version: ModelVersion) -> bool:
        try:
            self.store.get_version(version.name, version.version)
        except NotFoundError:
            return False
        return True

    @property
    def _teller(self) -> Teller:
        return Teller(self.plugins, self.told_by)

    @property
    def _is_gated(self) -> bool:
        return self.plugins.is_answered(HookSpecs.before_transition.__name__)

    @property
    def _requests(self) -> SupportsRequests:
        if not isinstance(self.store, SupportsRequests):
            raise UnsupportedError(f"this registry ({type(self.store).__name__}) keeps no transition requests")
        return self.store

    def _note(self, comment: str) -> MoveNote:
        return MoveNote(self.user, comment)

    def _pass(self, transition: Transition) -> None:
        pass_gates(self.plugins, transition)

    def _believed(self, expected: str | None, before: str) -> str | None:
        """Return what the store shall find: the caller's belief, else what the gates were told."""
        if expected is not None:
            return expected
        return before if self._is_gated and isinstance(self.store, SupportsMoves) else None

    def _tell_stages(self, told: Transition, *, archive_existing: bool) -> None:
        """Tell of a move, and of the versions that were archived by it."""
        if not self._teller.is_heard or told.before == told.after:
            return
        detail = {"version": told.subject, "from": told.before, "to": told.after}
        self._teller.tell("stage_moved", told.name, told.note, detail)
        others = archived_by(self.store, told.name, told.subject, told.after) if archive_existing else []
        for other in others:
            detail = {"version": other, "from": told.after, "to": _ARCHIVED}
            self._teller.tell("stage_moved", told.name, told.note, detail)
