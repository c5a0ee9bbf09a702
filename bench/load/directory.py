"""Put made users, groups and members into the directory, their keys made as the product's own.

They come with no event: a bench measures requests, not a history.
"""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, wait
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from audit.actors import SYSTEM
from bench.load import company
from bench.load.company import FOUNDED, group_id, resource, user_id
from bench.load.copying import copy, indexed_afterwards, without_limits
from provisioning.adapters import GroupAdapter, UserAdapter
from provisioning.models import CustomAttribute, Group, IndexedValue, Membership, Provider, User
from provisioning.models.attributes import SchemaState, user_type
from provisioning.models.fields import key_of
from provisioning.operations import attributes

Told = Callable[[int], None]
AT_ONCE = 5_000
FEW = 2_000  # with fewer rows than this, indexes are kept up to date row by row
LOOKS_EVERY_S = 0.3
USERS, VALUES = "provisioning_user", "provisioning_indexedvalue"
GROUPS, MEMBERS = "provisioning_group", "provisioning_membership"
ATTRIBUTES = ("costCenter", "site")


def ensure_attributes() -> None:
    """Define the custom attributes that made users carry."""
    known = set(CustomAttribute.objects.values_list("name", flat=True))
    for name in ATTRIBUTES:
        if name not in known:
            attributes.add(name, "string", actor=SYSTEM)


def load_users(provider: Provider, first: int, end: int, told: Told, workers: int = 2) -> None:
    """Load the users numbered first to end - 1. `told` gets how many are in."""
    ensure_attributes()
    without_limits()
    if end - first <= FEW:
        for done in range(first, end, AT_ONCE):
            _copy_users(provider, done, min(end, done + AT_ONCE))
        told(end - first)
        return
    with indexed_afterwards(USERS, VALUES):
        connection.close()  # the processes that are forked must not share it
        with ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as pool:
            parts = range(first, end, AT_ONCE)
            waiting = {pool.submit(_copy_users, provider, n, min(end, n + AT_ONCE)) for n in parts}
            loaded = 0
            while waiting:
                ended, waiting = wait(waiting, LOOKS_EVERY_S)
                loaded += sum(one.result() for one in ended)
                told(loaded)
        without_limits()


def _copy_users(provider: Provider, first: int, end: int) -> int:
    version = SchemaState.objects.get().version
    type = user_type(version, rename=provider.allow_rename, kind=provider.kind)
    users = [_user(provider, number) for number in range(first, end)]
    _copy_rows(USERS, User, users)
    values = [value for user in users for value in UserAdapter(user).indexed_values(type)]
    _copy_rows(VALUES, IndexedValue, values)
    return end - first


def _user(provider: Provider, number: int) -> User:
    person = company.person(number)
    user = User(id=user_id(number), provider=provider, user_name=person.user_name)
    user.user_name_key = key_of(person.user_name)
    adapter = UserAdapter(user)
    adapter.from_dict(resource(person))
    adapter.refresh_search()
    user.created_at = user.updated_at = FOUNDED + timedelta(seconds=number)
    return user


def load_group(provider: Provider, number: int, members: int, told: Told) -> UUID:
    """Load a group that holds the first so many users; return its id."""
    without_limits()
    group = Group(id=group_id(number), provider=provider)
    GroupAdapter(group).from_dict({"displayName": company.group_name(number)})
    group.created_at = group.updated_at = FOUNDED + timedelta(seconds=number)
    _copy_rows(GROUPS, Group, [group])
    done = 0
    for first in range(0, members, AT_ONCE):
        some = [
            Membership(
                group=group,
                user_id=user_id(n),
                display=company.person(n).display_name,
                created_at=FOUNDED,
            )
            for n in range(first, min(members, first + AT_ONCE))
        ]
        _copy_rows(MEMBERS, Membership, some)
        done += len(some)
        told(done)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {MEMBERS}")
    return group.id


def _copy_rows(table: str, model: type[Any], rows: list[Any]) -> None:
    """Copy unsaved rows, every column but the number that the database gives."""
    fields = [
        field
        for field in model._meta.concrete_fields
        if not (field.primary_key and field.get_internal_type() == "BigAutoField")
    ]
    names = [f'"{field.column}"' for field in fields]
    attributes = [field.attname for field in fields]
    for _ in copy(table, names, _cells(rows, attributes)):
        pass


def _cells(rows: list[Any], attributes: list[str]) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        yield tuple(_cell(getattr(row, name)) for name in attributes)


def _cell(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, list | dict) else value
