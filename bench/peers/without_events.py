"""Alta whose journal writes nothing: what an audit event costs is the difference."""

from typing import Any

from config.rsgi import application  # first: it sets Django up

from audit import journal  # isort: skip

__all__ = ["application"]


def _nothing(*args: Any, **kwargs: Any) -> None:
    return None


journal.record = _nothing  # type: ignore[assignment]
