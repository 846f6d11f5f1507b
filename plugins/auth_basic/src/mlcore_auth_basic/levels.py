"""The names of permissions, in MLflow's words and in ours, and what each of them allows."""

from __future__ import annotations

from collections.abc import Mapping

from mlcore.entities import Action
from mlcore.errors import InvalidParameterError

# Ranks as they are stored. What is below zero denies, whatever else was given.
DENY, NO_PERMISSIONS, NOTHING, READ, USE, EDIT, MANAGE, CREATE = -2, -1, 0, 1, 2, 3, 4, 9

NAMES: Mapping[int, str] = {
    DENY: "DENY",
    NO_PERMISSIONS: "NO_PERMISSIONS",
    READ: "READ",
    USE: "USE",
    EDIT: "EDIT",
    MANAGE: "MANAGE",
    CREATE: "CREATE",
}
RANKS: Mapping[str, int] = {name: rank for rank, name in NAMES.items()}
DEFAULTS: Mapping[str, int] = {"none": NOTHING, "read": READ, "edit": EDIT, "manage": MANAGE}
NEEDED: Mapping[Action, int] = {Action.READ: READ, Action.EDIT: EDIT, Action.MANAGE: MANAGE, Action.CREATE: EDIT}
SCOPES = (Action.READ, Action.EDIT, Action.MANAGE)

EXPERIMENT, MODEL, WORKSPACE, SERVER = "experiment", "registered_model", "workspace", "server"
KINDS = (EXPERIMENT, MODEL)

# How a grant says what it is about. A model may well be called `*`, so an id never stands alone.
EVERY = "*"
NEW = "+"


def one(resource_id: str) -> str:
    """Return what stands for the one resource of that id."""
    return f"={resource_id}"


def shown(about: str) -> str:
    """Return the id of a grant's resource for people and clients; `*` for all of the kind."""
    return about[1:] if about.startswith("=") else "*"


def rank_of(permission: str) -> int:
    """Return the rank of a permission's name, upper or lower case. Raises InvalidParameterError: unknown."""
    rank = RANKS.get(permission.upper())
    if rank is None:
        raise InvalidParameterError(f"unknown permission {permission!r}, expected one of {', '.join(RANKS)}")
    return rank


def kind_of(name: str) -> str:
    """Return the kind of resource that MLflow's *name* stands for. Raises InvalidParameterError: not one of ours."""
    if name not in (*KINDS, WORKSPACE, SERVER):
        raise InvalidParameterError(
            f"unknown resource type {name!r}, expected one of {EXPERIMENT}, {MODEL}, {WORKSPACE}, {SERVER}; "
            "runs, artifacts and logged models follow their experiment, versions their model"
        )
    return name


def about_of(kind: str, resource_id: str, rank: int) -> str:
    """Return what a grant of *rank* on *resource_id* is about; checks that the three fit.

    Raises InvalidParameterError: `CREATE` of a single resource, or more than what the workspace and the server can be
    granted as.
    """
    if kind == WORKSPACE:
        if rank != USE or resource_id != EVERY:
            raise InvalidParameterError(
                f"the workspace can be granted as USE on '*' only, which is to create in it; got {NAMES[rank]} on "
                f"{resource_id!r}. Who shall administer the server becomes an admin"
            )
        return NEW
    if kind == SERVER and (rank > READ or resource_id != EVERY):
        raise InvalidParameterError(
            f"the server can be granted as READ on '*' only, which is its metrics; got {NAMES[rank]} on "
            f"{resource_id!r}. Who shall administer the server becomes an admin"
        )
    if rank == CREATE:
        if resource_id not in (EVERY, ""):
            raise InvalidParameterError(f"CREATE is about a kind as a whole: give '*' as the id, not {resource_id!r}")
        return NEW
    if not resource_id:
        raise InvalidParameterError("the id of the resource is empty: name one, or '*' for all of the kind")
    return EVERY if resource_id == EVERY else one(resource_id)
