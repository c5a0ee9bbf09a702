"""What a format is, and what several of them write."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.utils import translation

from audit.exports.rows import Row
from audit.types import BY_KEY

PRODUCT = "Alta"
Trailer = dict[str, Any]


class Format(ABC):
    """How events become bytes, in a language; one object writes one file."""

    key: ClassVar[str]
    label: ClassVar[str]
    extension: ClassVar[str]
    content_type: ClassVar[str]

    def __init__(self, language: str = "en") -> None:
        self.language = language

    def begin(self) -> bytes:
        """Return what stands before the first event."""
        return b""

    def lines(self, rows: Iterable[Row]) -> bytes:
        """Return events, each with the end of its line."""
        return b"".join(map(self.line, rows))

    @abstractmethod
    def line(self, row: Row) -> bytes:
        """Return one event with the end of its line."""

    @abstractmethod
    def trailer(self, trailer: Trailer) -> bytes:
        """Return the last line, which tells of all bytes before it."""

    @classmethod
    @abstractmethod
    def trailer_in(cls, line: str) -> Trailer | None:
        """Return the trailer that a line is, or None."""


def iso(at: datetime) -> str:
    """Return a moment in UTC to the microsecond: «2026-11-20T12:00:00.000000Z»."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat("T", "microseconds") + "Z"


def activities(language: str) -> dict[str, str]:
    """Return the auditor's word for each type of event."""
    with translation.override(language):
        return {key: str(type.label) for key, type in BY_KEY.items()}
