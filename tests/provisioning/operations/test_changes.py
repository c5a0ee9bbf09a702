"""What every operation shares: a deadlock's victim begins again."""

import pytest
from django.db import OperationalError, connection, transaction

from provisioning.operations.changes import ATTEMPTS, DEADLOCK, again_after_deadlock
from tests.concurrency import at_once

pytestmark = pytest.mark.django_db(transaction=True)


class _Cause(Exception):
    def __init__(self, sqlstate):
        self.sqlstate = sqlstate


def victim(sqlstate=DEADLOCK):
    error = OperationalError("deadlock detected")
    error.__cause__ = _Cause(sqlstate)
    return error


def failing(errors):
    @again_after_deadlock
    def operation():
        if errors:
            raise errors.pop()
        return "done"

    return operation


def test_the_victim_of_a_deadlock_begins_again():
    assert failing([victim()] * (ATTEMPTS - 1))() == "done"


def test_it_gives_up_in_the_end():
    with pytest.raises(OperationalError):
        failing([victim()] * ATTEMPTS)()


def test_any_other_error_goes_on():
    with pytest.raises(OperationalError):
        failing([victim("57014")])()


def test_inside_another_transaction_the_error_goes_on():
    with pytest.raises(OperationalError), transaction.atomic():
        failing([victim()])()


@pytest.mark.postgresql
def test_groups_and_users_that_wait_for_each_other_all_get_done(django_db_blocker):
    from tests.provisioning.api.conftest import Idp

    entra = Idp("entra-id")
    people = [entra.user(f"u{n}@x") for n in range(8)]
    group = entra.group("Ventas", *people)
    values = [{"value": user["id"]} for user in people]

    def turn():
        return entra.patch(
            f"/Groups/{group['id']}",
            {"op": "remove", "path": "members", "value": values},
            {"op": "add", "path": "members", "value": values},
        ).status_code

    def rename(n):
        operation = {"op": "replace", "path": "displayName", "value": f"Luis {n}"}
        return lambda: entra.patch(f"/Users/{people[n]['id']}", operation).status_code

    for _ in range(3):
        found = at_once([turn, turn, turn, *(rename(n) for n in range(8))])
        assert sorted(found) == [200] * 8 + [204] * 3
    assert entra.members(group) == {user["id"] for user in people}
    assert not connection.in_atomic_block
