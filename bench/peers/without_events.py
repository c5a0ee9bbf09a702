"""Alta whose journal writes nothing: what an audit event costs is the difference."""

from typing import Any

from audit import journal


def _nothing(*args: Any, **kwargs: Any) -> None:
    return None


journal.record = _nothing  # type: ignore[assignment]

from config.rsgi import application  # noqa: E402

__all__ = ["application"]
