"""The web server's entry point: `granian --interface rsgi config.rsgi:application`.

granian's loop reads each request whole, within a size and a time; only then does one of a few
threads run Django for it, as WSGI. A body that never comes costs a connection and no thread
(docs/decisions/0006-processes.md: why, and what it costs).
"""

import asyncio
import logging
import os
import threading
from asyncio import AbstractEventLoop, Future
from collections import deque
from http import HTTPStatus
from io import BytesIO
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from config.limits import REFUSED, largest_body
from config.wsgi import application as django

if TYPE_CHECKING:
    from granian.rsgi import HTTPProtocol, Scope  # type: ignore[attr-defined]

log = logging.getLogger("alta.web")

PATIENCE_S = 20.0  # for a body, and one second more for every SLOWEST bytes that came
SLOWEST = 64 * 1024
SMALL = 64 * 1024
MOST_HELD = 64 * 1024 * 1024  # of bodies that are not small, in one process

Environ = dict[str, Any]
ALWAYS: Environ = {
    "SCRIPT_NAME": "",
    "wsgi.multiprocess": True,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.version": (1, 0),
}


class Refusal(Exception):
    """A request that is not let in, and the status that says why."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


class Application:
    """Reads requests in granian's loop, answers them in threads of its own."""

    loop: AbstractEventLoop

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.held = 0
        self.waiting: SimpleQueue[tuple[HTTPProtocol, Environ, Future[None]]] = SimpleQueue()
        self.answered: deque[Future[None]] = deque()

    def __rsgi_init__(self, loop: AbstractEventLoop) -> None:
        """Begin; granian calls this in each of its processes."""
        self.loop = loop
        for _ in range(self.threads):
            threading.Thread(target=self._work, daemon=True).start()

    def __rsgi_del__(self, loop: AbstractEventLoop) -> None:
        """End, without leaving a coroutine behind."""
        self._finish()
        loop.run_until_complete(asyncio.sleep(0))

    async def __rsgi__(self, scope: "Scope", proto: "HTTPProtocol") -> None:
        """Read a request, hand it to a thread, and stay until that has answered.

        The answer leaves from the thread. This coroutine ends when a later request comes by:
        waking the loop for each answer costs more than all the rest here.
        """
        self._finish()
        held = 0
        environ = environment(scope)
        try:
            check(scope, environ)
            if "CONTENT_LENGTH" in environ or "HTTP_TRANSFER_ENCODING" in environ:
                held = await self._take_body(proto, environ)
        except Refusal as refusal:
            environ[REFUSED] = refusal.status
        answered = self.loop.create_future()
        self.waiting.put((proto, environ, answered))
        del environ
        try:
            await answered
        finally:
            self.held -= held

    def _finish(self) -> None:
        """Let the coroutines end whose requests are answered."""
        while self.answered:
            self.answered.popleft().set_result(None)

    async def _take_body(self, proto: "HTTPProtocol", environ: Environ) -> int:
        """Put the body into the environment; return how much of it counts as held.

        One that is larger than its address takes is left alone: its length, announced or found,
        lets Django refuse it.
        """
        announced = environ.get("CONTENT_LENGTH")
        if announced is not None and int(announced) > largest_body(environ["PATH_INFO"]):
            return 0
        body = await self._read(proto, environ, None if announced is None else int(announced))
        environ["CONTENT_LENGTH"] = str(len(body))
        environ["wsgi.input"] = BytesIO(body)
        return len(body) if len(body) > SMALL else 0

    async def _read(self, proto: "HTTPProtocol", environ: Environ, length: int | None) -> bytes:
        """Return a body, or what came of it past the limit. Raises Refusal.

        A body that is not small counts as held from here on, unless it is refused.
        """
        if length == 0:
            return b""
        parts: list[bytes] = []
        size = held = ends = 0
        limit = largest_body(environ["PATH_INFO"])
        began = self.loop.time()
        try:
            async with asyncio.timeout_at(began + PATIENCE_S) as patience:
                async for part in proto:
                    parts.append(part)
                    size += len(part)
                    ends += not part  # granian gives an empty part for an end and for an error
                    if size > SMALL:
                        self.held, held = self.held + size - held, size
                        if self.held > MOST_HELD:
                            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE)
                        patience.reschedule(began + PATIENCE_S + size / SLOWEST)
                    if size == length or size > limit:
                        return b"".join(parts)
            if length is not None or ends != 1:
                raise Refusal(HTTPStatus.BAD_REQUEST)
            return b"".join(parts)
        except TimeoutError:
            self.held -= held
            raise Refusal(HTTPStatus.REQUEST_TIMEOUT) from None
        except Refusal:
            self.held -= held
            raise

    def _work(self) -> None:
        """Answer one request after another, in a thread."""
        while True:
            proto, environ, answered = self.waiting.get()
            try:
                answer(proto, environ)
            except Exception:
                log.exception("A request was left without an answer.")
                self.loop.call_soon_threadsafe(self._finish)  # granian then answers 500
            finally:
                self.answered.append(answered)
                del proto, environ, answered


def environment(scope: "Scope") -> Environ:
    """Return a request as WSGI wants it (PEP 3333), its body still to come."""
    environ = ALWAYS.copy()
    environ["REQUEST_METHOD"] = scope.method
    environ["PATH_INFO"] = scope.path.encode().decode("latin-1")
    environ["QUERY_STRING"] = scope.query_string
    environ["SERVER_PROTOCOL"] = f"HTTP/{scope.http_version}"
    environ["SERVER_NAME"], _, environ["SERVER_PORT"] = scope.server.rpartition(":")
    environ["REMOTE_ADDR"] = scope.client.rpartition(":")[0].strip("[]")
    environ["wsgi.url_scheme"] = scope.scheme
    environ["wsgi.input"] = BytesIO()
    for header, value in scope.headers.items():
        if "_" in header:  # else X_Forwarded_For would pass for the proxy's X-Forwarded-For
            continue
        name = NAMES.get(header) or "HTTP_" + header.upper().replace("-", "_")
        if name in environ:
            value = f"{environ[name]}{'; ' if header == 'cookie' else ','}{value}"
        environ[name] = value
    return environ


NAMES = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


def check(scope: "Scope", environ: Environ) -> None:
    """Refuse what intermediaries may read in another way than this server."""
    if scope.authority is not None and scope.authority != environ.get("HTTP_HOST"):
        raise Refusal(HTTPStatus.BAD_REQUEST)
    if environ.get("HTTP_TRANSFER_ENCODING", "chunked").lower() != "chunked":
        raise Refusal(HTTPStatus.NOT_IMPLEMENTED)
    if not environ["REQUEST_METHOD"].isupper():  # Django would take `get` for GET
        raise Refusal(HTTPStatus.NOT_IMPLEMENTED)


def answer(proto: "HTTPProtocol", environ: Environ) -> None:
    """Run Django for a request and send what it answers."""
    status, headers = 500, list[tuple[str, str]]()

    def start(line: str, fields: list[tuple[str, str]], error: Any = None, /) -> Any:
        nonlocal status, headers
        status, headers = int(line[:3]), fields

    response = django(environ, start)
    try:
        if REFUSED in environ:  # what may still come of it is nobody's request
            headers.append(("Connection", "close"))
        proto.response_bytes(status, headers, b"".join(response))
    finally:
        response.close()


application = Application(int(os.environ.get("WEB_THREADS") or "4"))
