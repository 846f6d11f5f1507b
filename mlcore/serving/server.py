"""Run the scoring server: one process, or several that share a port."""

from __future__ import annotations

import errno
import math
import os
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from attrs import frozen

from mlcore.errors import InvalidParameterError, MissingDependencyError, MlcoreError

if TYPE_CHECKING:
    import asyncio
    import types

_BACKLOG = 2048
_STOPS = (signal.SIGTERM, signal.SIGINT)
_MOST_HEAD = 64 * 1024  # bytes of request line and headers


# an ASGI application; each library spells the arguments in its own way
Application = Callable[..., Awaitable[None]]


@runtime_checkable
class KnowsStopping(Protocol):
    """An application with answers that do not end by themselves, such as streams of events."""

    def stopping(self) -> None:
        """Let such answers end: the server has been told to stop, and waits for them. Called by a signal handler."""
        ...


@frozen
class Address:
    """Where to listen; port 0 lets the system choose a free one."""

    host: str = "127.0.0.1"
    port: int = 5000


@frozen
class Stopping:
    """How a server stops once it is told to.

    drain_s: it goes on taking requests for so long, while its application may tell that it is not ready any more.
    grace_s: for requests that are still being answered after that.
    """

    drain_s: float = 0.0
    grace_s: float = 10.0


def require_server() -> None:
    """Raise MissingDependencyError when no ASGI server is installed, before any model is loaded."""
    try:
        import uvicorn  # noqa: F401  # asked for, not used
    except ImportError as err:
        raise MissingDependencyError(
            "serving a model needs an ASGI server: pip install 'mlcore-kernel[serve]'"
        ) from err


def bind(address: Address) -> socket.socket:
    """Return a listening socket.

    Raises InvalidParameterError: the port is taken, or the host is none of this machine; says what to do.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # the protocol is named because asyncio sets TCP_NODELAY on such sockets only: without it an answer takes 40 ms
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((address.host, address.port))
    except OSError as err:
        found.close()
        hint = "choose another with --port, or 0 for any free one" if err.errno == errno.EADDRINUSE else "check --host"
        raise InvalidParameterError(
            f"cannot listen on {address.host}:{address.port}: {(err.strerror or str(err)).lower()}; {hint}"
        ) from err
    found.listen(_BACKLOG)
    found.set_inheritable(True)
    return found


def _spread(taken: socket.socket, count: int) -> list[socket.socket]:
    """Put as many listening sockets in the place of one; the system spreads connections over them.

    One that all workers share is emptied by whoever wakes first: of eight connections one worker often had all. *taken* was
    bound without sharing, which has proved that the port is nobody else's.
    """
    where, family = taken.getsockname(), taken.family
    taken.close()
    found = []
    for _ in range(count):
        one = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind(where)
        one.listen(_BACKLOG)
        found.append(one)
    return found


def url(listening: socket.socket) -> str:
    """Return the URL of a listening socket."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run_server(
    make_app: Callable[[], Application],
    address: Address,
    *,
    workers: int = 1,
    announce: Callable[[str], None],
    stopping: Stopping = Stopping(),
) -> int:
    """Listen, make the application, serve it until SIGTERM or SIGINT; return the exit code.

    make_app: loads the model; called once in each process.
    announce: called once with the URL, when requests are answered.
    Raises MissingDependencyError: no ASGI server is installed. InvalidParameterError: the address cannot be used.
    """
    require_server()
    with bind(address) as listening:
        where = url(listening)
        if workers > 1:
            return serve_with_workers(make_app, listening, workers, ready=lambda: announce(where), stopping=stopping)
        serve(make_app(), listening, ready=lambda: announce(where), stopping=stopping)
        return 0


def serve(
    app: Application, listening: socket.socket, *, ready: Callable[[], None], stopping: Stopping = Stopping()
) -> None:
    """Serve *app* until SIGTERM or SIGINT; then answer what has arrived and return. A second signal ends the drain.

    ready: called once, when requests are answered.
    """
    import uvicorn

    class Server(uvicorn.Server):
        draining = False

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                ready()

        def handle_exit(self, sig: int, frame: types.FrameType | None) -> None:
            if isinstance(app, KnowsStopping):
                app.stopping()
            if stopping.drain_s and not self.draining:
                self.draining = True
                timer = threading.Timer(stopping.drain_s, self.end)
                timer.daemon = True  # it keeps nobody waiting who was told a second time
                timer.start()
            else:
                super().handle_exit(sig, frame)

        def end(self) -> None:
            self.should_exit = True

    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=math.ceil(stopping.grace_s),
        http=_protocol(),
    )
    server = Server(config)

    def stop(_number: int, _frame: types.FrameType | None) -> None:
        # The server has handlers of its own, but only once it runs; and when it has stopped it raises the signal again.
        server.should_exit = True

    with _handling(stop):
        server.run(sockets=[listening])


def _protocol() -> type[asyncio.Protocol] | Literal["auto"]:
    """Return the HTTP of httptools with a limit for the head of a request, which it lacks; h11 has one."""
    try:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    except ImportError:
        return "auto"

    class LimitedHead(HttpToolsProtocol):
        _in_head = False
        _size = 0

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._in_head, self._size = True, 0

        def on_headers_complete(self) -> None:
            self._in_head = False
            super().on_headers_complete()

        def data_received(self, data: bytes) -> None:
            # what comes together with the beginning is as much as one read from a socket can give
            self._size += len(data) if self._in_head else 0
            if self._size > _MOST_HEAD:
                self._size = 0
                self.send_400_response("The request's head is too long.")
            else:
                super().data_received(data)

    return LimitedHead


def serve_with_workers(
    make_app: Callable[[], Application],
    listening: socket.socket,
    workers: int,
    *,
    ready: Callable[[], None],
    stopping: Stopping = Stopping(),
) -> int:
    """Serve from several processes that share the socket; return the exit code.

    make_app: called in each process after the fork, because not every library survives one.
    ready: called once, when all of them answer. A process that dies later is replaced; one that dies before it
    ever answered ends the server with its code.
    """
    if not hasattr(os, "fork"):
        raise InvalidParameterError(f"{workers} workers need a system that can fork: use one worker here")
    with ExitStack() as held:
        sockets = [listening] * workers
        if sys.platform == "linux":  # others do not spread connections, but give them all to the last socket
            sockets = [held.enter_context(one) for one in _spread(listening, workers)]
        crew = _Crew(make_app, sockets, stopping)
        with _handling(crew.stop):
            for place in range(workers):
                crew.add(place)
            return crew.watch(ready)


class _Crew:
    """The processes of a server with several workers."""

    def __init__(self, make_app: Callable[[], Application], sockets: list[socket.socket], stopping: Stopping) -> None:
        self._make_app = make_app
        # They stay open here: who connects to a worker that dies waits for the one that takes its place.
        self._sockets = sockets
        self._places: dict[int, int] = {}  # process to its socket
        self._how_to_stop = stopping
        self._starting: dict[int, int] = {}  # process to the pipe that tells when it answers
        self._running: set[int] = set()
        self._stopping = False
        self._alive, self._life = os.pipe()  # closed by the system when this process ends, however it ends

    def add(self, place: int) -> int:
        """Start one more process, for the socket at *place*; return its id."""
        told, tell = os.pipe()
        # A signal in the middle would find a child with the parent's handlers, or a parent that does not know it yet.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        pid = os.fork()
        if pid == 0:
            os.close(told)
            os.close(self._life)
            self._work(tell, self._sockets[place])
        os.close(tell)
        self._starting[pid] = told
        self._places[pid] = place
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        if self._stopping:
            os.kill(pid, signal.SIGTERM)  # the signal came before there was anybody to pass it on to
        return pid

    def watch(self, ready: Callable[[], None]) -> int:
        """Wait for the processes; replace those that die; return the exit code when all have ended."""
        for pid in list(self._starting):
            if not self._answers(pid):
                return self._give_up(pid)
        if not self._stopping:
            ready()
        while self._running:
            pid, _ = os.wait()
            self._running.discard(pid)
            if self._stopping:
                continue
            replaced = self.add(self._places.pop(pid))
            if not self._answers(replaced):
                return self._give_up(replaced)
        return 0

    def _answers(self, pid: int) -> bool:
        """Wait until a process answers requests, or has ended without."""
        told = self._starting[pid]
        answers = bool(os.read(told, 1))
        if answers:
            self._running.add(pid)
        del self._starting[pid]  # not before: until then a signal to stop must find it here
        os.close(told)
        return answers

    def stop(self, _number: int = 0, _frame: types.FrameType | None = None) -> None:
        """Tell all processes to stop after what they are doing."""
        self._stopping = True
        for pid in (*self._starting, *self._running):
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:  # it ended by itself
                continue

    def _give_up(self, pid: int) -> int:
        was_stopping = self._stopping
        _, status = os.waitpid(pid, 0)
        self.stop()
        for other in (*self._starting, *self._running):
            os.waitpid(other, 0)
        return 0 if was_stopping else os.waitstatus_to_exitcode(status) or 1

    def _work(self, tell: int, listening: socket.socket) -> None:
        for each in _STOPS:
            signal.signal(each, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        threading.Thread(target=_end_with, args=(self._alive,), daemon=True).start()
        code = 1
        try:
            try:
                serve(self._make_app(), listening, ready=lambda: _tell(tell), stopping=self._how_to_stop)
                code = 0
            except MlcoreError as err:
                os.write(2, f"error: {err.message}\n".encode())
        finally:
            # neither the exit handlers nor the open files of the parent are this process's to end
            os._exit(code)


def _tell(pipe: int) -> None:
    os.write(pipe, b"1")
    os.close(pipe)


def _end_with(pipe: int) -> None:
    """Stop this worker when its parent has gone without a word, as after kill -9: nobody else would."""
    os.read(pipe, 1)
    os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def _handling(stop: Callable[[int, types.FrameType | None], None]) -> Iterator[None]:
    """Call *stop* for SIGTERM and SIGINT inside the block."""
    before = {each: signal.signal(each, stop) for each in _STOPS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
