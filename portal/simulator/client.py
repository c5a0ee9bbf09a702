"""The HTTP side of a simulated IdP: one keep-alive client that times and counts every request."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx

Body = dict[str, Any]

TIMEOUT_S = 60.0  # Entra and Okta both give up after a minute
TRIES = 10
LONGEST_WAIT_S = 300
NO_ANSWER = 0  # the status recorded when nothing came back in time


class SimulationError(Exception):
    """Stop the run; the message is one sentence for the person who started it."""


@dataclass(frozen=True)
class Habits:
    """The headers by which an IdP is known."""

    user_agent: str
    content_type: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sample:
    """One request that was made: what for, how it was answered, and how long it took."""

    kind: str
    status: int
    ms: float


@dataclass(frozen=True)
class Reply:
    """An answer, with its JSON object (empty when there is none)."""

    status: int
    body: Body
    media_type: str

    @property
    def is_html(self) -> bool:
        """Tell whether a page came back where SCIM was asked for."""
        return self.media_type == "text/html"

    @property
    def resources(self) -> list[Body]:
        """Return the resources of a ListResponse, or none."""
        found = self.body.get("Resources")
        return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


class ScimClient:
    """Send requests as the IdP does: no redirects, waits for Retry-After, never shows the token."""

    def __init__(
        self,
        url: str,
        token: str,
        habits: Habits,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        connections: int = 1,
    ) -> None:
        """Prepare the connection pool; nothing is sent yet."""
        self.base = base_url(url)
        self.samples: list[Sample] = []
        self.retries = 0
        self._token = token
        self._sleep = sleep
        self._lock = threading.Lock()
        self._habits = habits
        self._http = httpx.Client(
            headers={"User-Agent": habits.user_agent, **habits.headers},
            timeout=TIMEOUT_S,
            follow_redirects=False,
            transport=transport,
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        )

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def redact(self, text: str) -> str:
        """Return text that is safe to show, should a server echo the token."""
        return text.replace(self._token, "[token]") if self._token else text

    def send(
        self,
        kind: str,
        method: str,
        path: str,
        *,
        query: str = "",
        body: Body | None = None,
        token: str | None = None,
    ) -> Reply:
        """Send one request and return its answer. Raises SimulationError when none can be had."""
        url = f"{self.base}{path}?{query}" if query else f"{self.base}{path}"
        headers = {"Authorization": f"Bearer {self._token if token is None else token}"}
        content = None
        if body is not None:
            content = json.dumps(body, ensure_ascii=False).encode()
            headers["Content-Type"] = self._habits.content_type
        for _ in range(TRIES):
            request = self._http.build_request(method, url, content=content, headers=headers)
            reply, wait_s = self._once(kind, request)
            if wait_s is None:
                break
            with self._lock:
                self.retries += 1
            self._sleep(wait_s)
        if reply.status == 401 and token is None:
            raise SimulationError(f"{self.base} refused the token (401): is it whole, and active?")
        return reply

    def _once(self, kind: str, request: httpx.Request) -> tuple[Reply, float | None]:
        started = time.perf_counter()
        try:
            response = self._exchange(request)
        except httpx.TimeoutException:
            reply, wait_s = Reply(NO_ANSWER, {}, ""), None
        except httpx.TransportError as error:
            reason = self.redact(str(error)) or type(error).__name__
            raise SimulationError(f"{self.base} cannot be reached: {reason}.") from None
        else:
            reply = Reply(response.status_code, _json(response), _media_type(response))
            wait_s = _retry_after(response)
        sample = Sample(kind, reply.status, (time.perf_counter() - started) * 1000)
        with self._lock:
            self.samples.append(sample)
        return reply, wait_s

    def _exchange(self, request: httpx.Request) -> httpx.Response:
        try:
            return self._http.send(request)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            # The server closed an idle connection just as we used it; every IdP asks again.
            with self._lock:
                self.retries += 1
            return self._http.send(request)


def base_url(url: str) -> str:
    """Return the SCIM base without query or final slash. Raises ValueError for anything else."""
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"not an http(s) URL: {url!r}")
    if parts.username or parts.password:
        raise ValueError("the URL must not carry credentials")
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


def _json(response: httpx.Response) -> Body:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _media_type(response: httpx.Response) -> str:
    return str(response.headers.get("Content-Type", "")).partition(";")[0].strip().lower()


def _retry_after(response: httpx.Response) -> float | None:
    if response.status_code not in (429, 503):
        return None
    value = response.headers.get("Retry-After", "")
    # Okta ignores dates here: whole seconds or nothing.
    return min(int(value), LONGEST_WAIT_S) if value.isdigit() else None
