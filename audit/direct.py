"""Rows that every request reads and writes by their key, without the ORM's compiler.

The ORM compiles a statement anew for each query: more than half of what a look-up or an INSERT
costs. Here the statement is kept by its shape; the model's fields still convert the values, so that
both ways read and write the same rows (tests compare them). For everything else there is the ORM.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache
from typing import Any, TypeVar

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections
from django.db.models import AutoField, CharField, Field, Model, TextField

Row = TypeVar("Row", bound=Model)
Column = Any  # a field: Django's class is generic in its stubs only
MOST_AT_ONCE = 10  # rows of one INSERT here: each number of them is a statement to keep


def insert(*rows: Model) -> None:
    """Insert rows of one model, and take over what the database chooses: ids and times.

    As `save(force_insert=True)`, but without signals. Raises IntegrityError.
    """
    if len(rows) > MOST_AT_ONCE:
        type(rows[0])._default_manager.bulk_create(rows)
    elif rows:
        _insert(rows)


def find(model: type[Row], *, limit: int = 1, lock: bool = False, **equal: Any) -> list[Row]:
    """Return the first rows, by primary key, whose columns equal these values (None: NULL).

    `lock` keeps them from other writers until the transaction ends: as select_for_update(no_key).
    """
    database, fields = _database(), _fields(model)
    names = tuple((name, value is None) for name, value in equal.items())
    values = [
        fields[name].get_db_prep_value(value, database)
        for name, value in equal.items()
        if value is not None
    ]
    with database.cursor() as cursor:
        cursor.execute(_select(model, names, lock, database.vendor), [*values, limit])
        found = cursor.fetchall()
    if not found:
        return []
    attributes, conversions = _reading(model, database.vendor)
    return [
        model.from_db(database.alias, attributes, _converted(list(each), conversions, database))
        for each in found
    ]


def update(row: Model, names: Iterable[str]) -> None:
    """Write some columns of a row: as `save(update_fields=…, force_update=True)`, without signals.

    Raises DatabaseError when the row is gone, IntegrityError.
    """
    database, fields, key = _database(), _fields(type(row)), row._meta.pk
    written = tuple(dict.fromkeys(names))
    values = [_prepared(row, fields[name], database) for name in written]
    with database.cursor() as cursor:
        sql = _update(type(row), written, database.vendor)
        cursor.execute(sql, [*values, key.get_db_prep_value(row.pk, database)])
        if cursor.rowcount != 1:
            raise DatabaseError("The row to update is gone.")


def _insert(rows: Sequence[Model]) -> None:
    database, model = _database(), type(rows[0])
    given, chosen = _columns(model)
    values = [_prepared(row, field, database) for row in rows for field in given]
    with database.cursor() as cursor:
        cursor.execute(_insertion(model, len(rows), database.vendor), values)
        if chosen:
            conversions = _choosing(model, database.vendor)
            for row, told in zip(rows, cursor.fetchall(), strict=True):
                known = _converted(list(told), conversions, database)
                for field, value in zip(chosen, known, strict=True):
                    setattr(row, field.attname, value)
    for row in rows:
        row._state.adding, row._state.db = False, database.alias


def _database() -> Any:
    """Return the connection itself: its proxy in django.db costs each use six calls."""
    return connections[DEFAULT_DB_ALIAS]


def _prepared(row: Model, field: Column, database: Any) -> Any:
    """Return a value as the database takes it; text needs no preparation."""
    value = getattr(row, field.attname)
    if type(value) is str and field.__class__ in _plain():
        return value
    return field.get_db_prep_save(value, database)


@cache
def _plain() -> set[type[Any]]:
    """Return the classes of fields that hand a text to the database as it is."""
    classes = {type(field) for model in apps.get_models() for field in model._meta.concrete_fields}
    return {
        each
        for each in classes
        if issubclass(each, CharField | TextField)
        and each.get_prep_value in (CharField.get_prep_value, TextField.get_prep_value)
        and each.get_db_prep_value is Field.get_db_prep_value
        and each.get_db_prep_save is Field.get_db_prep_save
    }


@cache
def _fields(model: type[Model]) -> dict[str, Column]:
    return {field.name: field for field in model._meta.concrete_fields}


@cache
def _columns(model: type[Model]) -> tuple[list[Column], list[Column]]:
    """Return the fields that a new row gives, and those that the database chooses."""
    given: list[Column] = []
    chosen: list[Column] = []
    for field in model._meta.concrete_fields:
        by_database = isinstance(field, AutoField) or field.has_db_default()
        (chosen if by_database else given).append(field)
    return given, chosen


@cache
def _insertion(model: type[Model], count: int, vendor: str) -> str:
    given, chosen = _columns(model)
    marks = ", ".join([f"({', '.join(['%s'] * len(given))})"] * count)
    sql = f"INSERT INTO {_table(model)} ({_names(given)}) VALUES {marks}"  # noqa: S608
    return f"{sql} RETURNING {_names(chosen)}" if chosen else sql


@lru_cache(maxsize=1_000)
def _update(model: type[Model], names: tuple[str, ...], vendor: str) -> str:
    fields, quote = _fields(model), connection.ops.quote_name
    columns = ", ".join(f"{quote(fields[name].column)} = %s" for name in names)
    where = f"{_names([model._meta.pk])} = %s"
    return f"UPDATE {_table(model)} SET {columns} WHERE {where}"  # noqa: S608


@cache
def _select(
    model: type[Model], names: tuple[tuple[str, bool], ...], lock: bool, vendor: str
) -> str:
    fields, quote = _fields(model), connection.ops.quote_name
    where = " AND ".join(
        f"{quote(fields[name].column)} {'IS NULL' if is_null else '= %s'}"
        for name, is_null in names
    )
    sql = (
        f"SELECT {_names(model._meta.concrete_fields)} FROM {_table(model)}"  # noqa: S608
        f" WHERE {where} ORDER BY {_names([model._meta.pk])} LIMIT %s"
    )
    # SQLite has one writer at a time: a transaction that writes holds that lock from its start.
    return f"{sql} FOR NO KEY UPDATE" if lock and vendor == "postgresql" else sql


def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _names(fields: Iterable[Column]) -> str:
    return ", ".join(connection.ops.quote_name(field.column) for field in fields)


Conversion = tuple[int, Column, list[Callable[..., Any]]]


@cache
def _reading(model: type[Model], vendor: str) -> tuple[list[str], list[Conversion]]:
    fields = model._meta.concrete_fields
    return [field.attname for field in fields], _conversions(fields)


@cache
def _choosing(model: type[Model], vendor: str) -> list[Conversion]:
    return _conversions(_columns(model)[1])


def _conversions(fields: Sequence[Column]) -> list[Conversion]:
    """Return (place, expression, converters) of each value that does not come as it is kept."""
    found = []
    for place, field in enumerate(fields):
        column = field.get_col(field.model._meta.db_table)
        converters = connection.ops.get_db_converters(column) + column.get_db_converters(connection)
        if converters:
            found.append((place, column, converters))
    return found


def _converted(values: list[Any], conversions: list[Conversion], database: Any) -> list[Any]:
    for place, column, converters in conversions:
        for convert in converters:
            values[place] = convert(values[place], column, database)
    return values
