"""Columns that behave alike on both databases."""

import hashlib
from typing import Any
from uuid import UUID

import uuid_utils.compat
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.functions import Now

from provisioning.scim.keys import fold

uuid7 = uuid_utils.compat.uuid7


def new_id() -> UUID:
    """Return a UUID that grows with time (RFC 9562, version 7): pages follow creation."""
    return uuid7()


LONGEST_KEY_BYTES = 2_000


def index_key(folded: str) -> str:
    """Return a key that fits a B-tree: a very long one becomes its beginning and its digest.

    PostgreSQL refuses index rows past 2,704 bytes. Equality and `sw` stay exact; only what lies
    beyond the first 1,900 bytes is lost to `co` and `ew`.
    """
    if len(folded) <= LONGEST_KEY_BYTES // 4 or len(data := folded.encode()) <= LONGEST_KEY_BYTES:
        return folded
    return data[:1_900].decode(errors="ignore") + "…" + hashlib.sha256(data).hexdigest()


def key_of(text: str) -> str:
    """Return the key under which a text is compared without case."""
    return index_key(fold(text))


class KeyField(models.CharField):  # type: ignore[type-arg]
    """Text compared by code point, so that both databases order and search it alike.

    Python makes the keys (`scim.keys.fold`): SQLite folds only ASCII, and PostgreSQL's folding
    depends on the locale. COLLATE "C" also lets a plain index serve `sw`.
    """

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        parameters: dict[str, Any] = dict(super().db_parameters(connection))
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"
        return parameters


class CreatedField(models.DateTimeField):  # type: ignore[type-arg]
    """The database's time of insertion."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("db_default", Now())
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)
