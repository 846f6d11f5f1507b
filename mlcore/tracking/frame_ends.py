"""How a program's outermost code was left: frames remember their last instruction."""

from __future__ import annotations

import sys
from types import CodeType, FrameType

_NOTHING = object()


def outermost(thread_id: int | None) -> FrameType | None:
    """Return the frame in which a thread's program runs; None when no code of it does."""
    frame = sys._current_frames().get(thread_id or 0)  # the documented way to the frame of another thread
    while frame is not None and frame.f_back is not None:
        frame = frame.f_back
    return frame


def has_returned(frame: FrameType) -> bool:
    """Whether the code in *frame* ran to its end, or still runs; False when an exception left it."""
    running: FrameType | None = sys._getframe()
    while running is not None:
        if running is frame:
            return True
        running = running.f_back
    import opcode

    last = frame.f_code.co_code[frame.f_lasti]
    return opcode.opname[last].startswith("RETURN_")


def code_of_raise(frame: FrameType) -> tuple[bool, object]:
    """Read from the code that *frame* was left by raising SystemExit by hand, and the exit code, where it stands there.

    Understood are `raise SystemExit`, `raise SystemExit(3)` and `raise SystemExit(name)` at the program's top level.
    """
    before = _instructions(frame.f_code, frame.f_lasti)
    if not before or before[-1] != ("RAISE_VARARGS", 1):
        return False, None
    names = [step for step in before[:-1] if step[0] != "PRECALL"]
    if names[-1] in _EXIT:
        return True, None
    if names[-1:] == [("CALL", 0)] and names[-2] in _EXIT:
        return True, None
    if names[-1:] == [("CALL", 1)] and names[-3] in _EXIT:
        value = _value(names[-2], frame)
        return value is not _NOTHING, value
    return False, None


_EXIT = (("LOAD_NAME", "SystemExit"), ("LOAD_GLOBAL", "SystemExit"))


def _value(step: tuple[str, object], frame: FrameType) -> object:
    kind, what = step
    if kind == "LOAD_CONST":
        return what
    return frame.f_globals.get(str(what), _NOTHING) if kind == "LOAD_NAME" else _NOTHING


def _instructions(code: CodeType, last: int) -> list[tuple[str, object]]:
    """Return the instructions of *code* up to the one at *last*, each with its argument."""
    import dis

    return [(one.opname, one.argval) for one in dis.get_instructions(code) if one.offset <= last]
