"""The floor: the least that a create with its audit row can cost, without a framework.

A token is looked up by its digest, a user and an audit row are inserted in one transaction. Run by
granian as a WSGI application; FLOOR_DATABASE_URL names the database.
"""

import hashlib
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import orjson
import psycopg

TABLES = """
CREATE TABLE token (digest text PRIMARY KEY, idp text NOT NULL);
CREATE TABLE person (
    id uuid PRIMARY KEY, user_name text NOT NULL UNIQUE, document jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE event (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, at timestamptz NOT NULL DEFAULT now(),
    type text NOT NULL, actor text NOT NULL, target uuid NOT NULL, changes jsonb NOT NULL
);
"""
TOKEN = "SELECT idp FROM token WHERE digest = %s"
FIND = "SELECT id, document FROM person WHERE user_name = %s"
PERSON = "INSERT INTO person (id, user_name, document) VALUES (%s, %s, %s)"
EVENT = "INSERT INTO event (type, actor, target, changes) VALUES ('user.created', %s, %s, %s)"
_local = threading.local()

Start = Callable[[str, list[tuple[str, str]]], Any]


def _connection() -> "psycopg.Connection[Any]":
    """Return this thread's connection, kept open, its statements prepared."""
    if not hasattr(_local, "connection"):
        _local.connection = psycopg.connect(
            os.environ["FLOOR_DATABASE_URL"], autocommit=True, prepare_threshold=1
        )
    connection: psycopg.Connection[Any] = _local.connection
    return connection


def application(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    """Answer POST (create) and GET (filter by userName)."""
    secret = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
    digest = hashlib.sha256(secret.encode()).hexdigest()
    connection = _connection()
    if environ["REQUEST_METHOD"] == "GET":
        token = connection.execute(TOKEN, [digest]).fetchone()
        asked = parse_qs(environ["QUERY_STRING"])["filter"][0]
        row = connection.execute(FIND, [asked.split('"')[1].lower()]).fetchone()
        found = [row[1] | {"id": str(row[0])}] if row else []
        reply = {"totalResults": len(found), "Resources": found}
        return _answer(start, "200 OK" if token else "401 Unauthorized", reply)
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    document, id = orjson.loads(body), uuid4()
    kept = orjson.dumps(document).decode()
    with connection.transaction():
        token = connection.execute(TOKEN, [digest]).fetchone()
        if token is None:
            return _answer(start, "401 Unauthorized", {})
        connection.execute(PERSON, [id, document["userName"].lower(), kept])
        connection.execute(EVENT, [token[0], id, kept])
    return _answer(start, "201 Created", document | {"id": str(id)})


def _answer(start: Start, status: str, document: dict[str, Any]) -> list[bytes]:
    body = orjson.dumps(document)
    headers = [("Content-Type", "application/scim+json"), ("Content-Length", str(len(body)))]
    start(status, headers)
    return [body]
