"""Who a call is made for."""

from __future__ import annotations

from attrs import frozen

from mlcore.entities import Principal


@frozen
class Caller:
    """Somebody who may do what they ask.

    has_authority: whether the server knows its users; without, everybody is an admin and has no name.
    accept: the kinds of answers that the request takes, as its header says.
    """

    principal: Principal
    has_authority: bool = False
    accept: str = ""

    @property
    def is_limited(self) -> bool:
        """Whether there is anything that they may not do."""
        return self.has_authority and not self.principal.is_admin
