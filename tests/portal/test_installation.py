"""Set-ups of several machines at once."""

import threading

import pytest
from django.db import connection

from portal import installation


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_set_up_that_waits_does_not_hold_up_the_one_that_builds_indexes(monkeypatch, tmp_path):
    """CREATE INDEX CONCURRENTLY waits for every statement that is older."""
    waits, done = threading.Event(), threading.Event()
    monkeypatch.setattr(installation.time, "sleep", lambda _: waits.set() or done.wait(0.05))
    # The lock in the data folder is for one machine: these are two.
    monkeypatch.setattr(installation.fcntl, "flock", lambda *_: None)

    def second():
        with installation.alone():
            done.set()

    waiting = threading.Thread(target=second)
    with installation.alone():
        waiting.start()
        assert waits.wait(10)
        with connection.cursor() as cursor:
            cursor.execute("CREATE INDEX CONCURRENTLY while_waited ON audit_seal (made_at)")
            cursor.execute("DROP INDEX while_waited")
        assert not done.is_set()
    waiting.join(10)
    assert done.is_set()
