"""A question that no index serves is given up, and said so, on both databases."""

import pytest
from django.db import OperationalError, connection

from audit.patience import TooSlow, within

pytestmark = pytest.mark.django_db
COUNT = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %s) "
ENDLESS = f"{COUNT} SELECT count(*) FROM n"


def ask(rows):
    with connection.cursor() as cursor:
        cursor.execute(ENDLESS, [rows])
        return cursor.fetchone()[0]


def test_a_long_question_is_given_up():
    with pytest.raises(TooSlow), within(50):
        ask(1_000_000_000)


def test_a_short_question_is_answered_and_nothing_stays_behind():
    with within(30_000):
        assert ask(10) == 10
    assert ask(100_000) == 100_000


def test_any_other_failure_is_told_as_it_is():
    with pytest.raises(OperationalError), within(1_000):
        raise OperationalError("database is locked")
