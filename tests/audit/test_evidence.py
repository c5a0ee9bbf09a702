"""Seals and their verification: each tampering is found, and nothing honest is accused."""

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import Max

from audit import append_only, journal
from audit.actors import SYSTEM
from audit.evidence import keys, sealing, seals, windows
from audit.evidence.verification import Kind, verify
from audit.models import Event, Seal
from audit.types import EventType

pytestmark = pytest.mark.django_db(transaction=True)
FAR = 10**12  # a transaction id that no cluster of tests reaches


@dataclass
class Thing:
    audit_kind: str = "user"
    audit_id: str = "1"
    audit_label: str = "luis@example.com"


def happen(times=1, **details):
    """Record events, each in a transaction of its own."""
    made = []
    for _ in range(times):
        with transaction.atomic():
            made.append(
                journal.record(EventType.USER_UPDATED, actor=SYSTEM, target=Thing(), **details)
            )
    return made


def decided(events):
    """Wait until the transactions of events, and those that began before them, are over.

    Other tests of the same cluster delay that, as writers elsewhere do.
    """
    positions = Event.objects.filter(pk__in=[event.pk for event in events])
    last = positions.aggregate(last=Max("transaction_id"))["last"] or 0
    end = time.monotonic() + 60
    while connection.vendor == "postgresql" and windows.horizon().hi <= last:
        assert time.monotonic() < end, "the oldest transaction of the cluster never ends"
        time.sleep(0.05)


def seal():
    """Seal everything; return how many seals that made."""
    decided(Event.objects.exclude(transaction_id__gte=FAR))
    return sealing.seal_all()


@contextmanager
def tampering():
    """What somebody may do who owns the tables."""
    with append_only.lifted(connection), connection.cursor() as cursor:
        yield cursor


def found(**more):
    """Verify; return {(kind, seal): event ids}."""
    report = verify(trusted=keys.configured(), **more)
    return {where: finding.events for where, finding in report.findings.items()}


def copy_of(event, **columns):
    """Insert a copy of an event under another id."""
    copied = Event.objects.get(pk=event.pk)
    copied.pk, copied._state.adding = None, True
    for name, value in columns.items():
        setattr(copied, name, value)
    copied.save(force_insert=True)
    return copied


@pytest.fixture
def sealed():
    """Three seals of three events each."""
    events = []
    for n in range(3):
        events.append(happen(3, n=n))
        assert seal() == 1
    assert found() == {}
    return events


# The eight tamperings ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "details = '{\"n\": 7}'",
        "actor_label = 'somebody else'",
        "performed_at = '2026-01-01 00:00:00.000000'",
        "outcome = 'failure'",
    ],
    ids=["detail", "actor", "time", "outcome"],
)
def test_a_changed_event_is_found(sealed, change):
    event = sealed[1][1]
    with tampering() as cursor:
        cursor.execute(f"UPDATE audit_event SET {change} WHERE id = {event.pk}")
    assert found()[Kind.CHANGED, 2] == [event.pk]


def test_a_deleted_event_is_found(sealed):
    with tampering() as cursor:
        cursor.execute(f"DELETE FROM audit_event WHERE id = {sealed[1][1].pk}")
    assert found() == {(Kind.DELETED, 2): [sealed[1][1].pk]}


def test_a_forged_event_is_found(sealed):
    event = Event.objects.get(pk=sealed[1][1].pk)
    with tampering() as cursor:
        cursor.execute(f"DELETE FROM audit_event WHERE id = {event.pk}")
        forged = {"pk": event.pk, "transaction_id": event.transaction_id}
        copy_of(sealed[1][0], **forged, target_label="eva@example.com")
    assert found() == {(Kind.CHANGED, 2): [event.pk]}


def test_an_event_forged_under_an_unused_id_is_found():
    happen(2)
    (gap,) = happen()
    with tampering() as cursor:  # as a rolled-back transaction leaves one
        cursor.execute(f"DELETE FROM audit_event WHERE id = {gap.pk}")
    events = happen(2)
    seal()
    assert found() == {}
    position = Event.objects.get(pk=events[0].pk).transaction_id
    with tampering():
        copy_of(events[0], pk=gap.pk, transaction_id=position)
    assert found() == {(Kind.FORGED, 1): [gap.pk]}


def test_an_event_below_every_window_is_found(sealed):
    with tampering():
        forged = copy_of(sealed[0][0], pk=-5, transaction_id=1)
    assert list(found().values()) == [[forged.pk]]


@pytest.mark.postgresql
@pytest.mark.parametrize("position", [None, 2**60])
def test_an_event_that_no_seal_could_ever_cover_is_found(sealed, position):
    with tampering():
        forged = copy_of(sealed[0][0], transaction_id=position)
    assert found() == {(Kind.FORGED, None): [forged.pk]}


@pytest.mark.postgresql
def test_an_event_put_into_an_old_window_is_found(sealed):
    with tampering():
        late = copy_of(sealed[0][0])  # also its transaction, and its time
    assert found() == {(Kind.BACKDATED, 1): [late.pk]}


def test_a_back_dated_event_is_found_although_it_is_sealed(sealed):
    with tampering():
        last = Event.objects.get(pk=sealed[2][2].pk)
        old = copy_of(
            last,
            performed_at=last.performed_at - timedelta(days=30),
            transaction_id=last.transaction_id and Seal.objects.get(number=3).hi,
        )
    seal()
    assert found()[Kind.BACKDATED, 4] == [old.pk]


def test_an_event_dated_into_the_future_is_found(sealed):
    with tampering():
        last = Event.objects.get(pk=sealed[2][2].pk)
        odd = copy_of(
            last,
            performed_at=last.performed_at + timedelta(days=30),
            transaction_id=last.transaction_id and Seal.objects.get(number=3).hi,
        )
    seal()
    assert found() == {(Kind.POSTDATED, 4): [odd.pk]}


def test_a_removed_middle_seal_is_found(sealed):
    with tampering() as cursor:
        cursor.execute("DELETE FROM audit_seal WHERE number = 2")
    assert found() == {(Kind.SEAL_MISSING, 2): [event.pk for event in sealed[1]]}


def test_a_removed_first_seal_is_found(sealed):
    with tampering() as cursor:
        cursor.execute("DELETE FROM audit_seal WHERE number = 1")
    assert found() == {(Kind.SEAL_MISSING, 1): [event.pk for event in sealed[0]]}


def test_a_renumbered_chain_is_found(sealed):
    with tampering() as cursor:
        cursor.execute("DELETE FROM audit_seal WHERE number = 2")
        cursor.execute(f"DELETE FROM audit_event WHERE id IN {tuple(e.pk for e in sealed[1])}")
        cursor.execute("UPDATE audit_seal SET number = 2 WHERE number = 3")
    assert found()[Kind.SEAL_CHANGED, 2] == []


def test_a_changed_seal_is_found(sealed):
    with tampering() as cursor:
        cursor.execute("UPDATE audit_seal SET made_at = '2026-01-01' WHERE number = 2")
    assert (Kind.SEAL_CHANGED, 2) in found()


def test_a_recomputed_seal_is_found_without_the_key(sealed, settings):
    """Whoever rewrites the end of the chain needs the key for it."""
    with tampering() as cursor:
        cursor.execute("DELETE FROM audit_seal WHERE number = 3")
        cursor.execute(f"DELETE FROM audit_event WHERE id = {sealed[2][2].pk}")
    own, settings.AUDIT_SIGNING_KEY = settings.AUDIT_SIGNING_KEY, (b"x" * 32,)
    assert seal() == 1
    settings.AUDIT_SIGNING_KEY = own
    assert found() == {(Kind.KEY_UNKNOWN, 3): []}


def test_a_removed_newest_seal_with_its_events_is_found_by_the_head(sealed, tmp_path):
    out = StringIO()
    call_command("audit_head", stdout=out)
    (tmp_path / "head").write_text(out.getvalue())
    assert command("--expect-head", tmp_path / "head")[0] == 0
    with tampering() as cursor:
        cursor.execute("DELETE FROM audit_seal WHERE number = 3")
        cursor.execute(f"DELETE FROM audit_event WHERE id IN {tuple(e.pk for e in sealed[2])}")
    assert command()[0] == 0  # what is left is whole: only the head outside knows
    code, text = command("--expect-head", tmp_path / "head")
    assert code == 1
    assert "seal 3: a seal that had left the database is gone" in text
    happen(3)
    seal()
    code, text = command("--expect-head", tmp_path / "head")
    assert code == 1
    assert "seal 3: a seal that had left the database is now another one" in text


# The command -------------------------------------------------------------------------------------


def command(*arguments):
    """Run audit_verify; return its exit code and what it printed."""
    out = StringIO()
    try:
        call_command("audit_verify", *map(str, arguments), stdout=out, stderr=out)
    except CommandError as error:
        return error.returncode, out.getvalue() + str(error)
    return 0, out.getvalue()


def test_the_command_says_what_it_verified_and_what_is_not_sealed(sealed):
    happen(2)
    code, text = command()
    assert code == 0
    assert "Verified 9 events in 3 seals, through seal 3" in text
    assert "Not sealed yet: 2 events" in text


def test_the_command_names_seal_and_events(sealed):
    with tampering() as cursor:
        cursor.execute(f"UPDATE audit_event SET type = 'x' WHERE id = {sealed[1][1].pk}")
    code, text = command()
    assert code == 1
    assert f"seal 2: changed after it was sealed: 1 events, ids {sealed[1][1].pk}." in text


def test_the_command_cannot_tell_without_a_seal_or_with_a_wrong_file(tmp_path):
    assert command()[0] == 2
    (tmp_path / "nonsense").write_text("{}")
    assert command("--expect-head", tmp_path / "nonsense")[0] == 2
    assert command("--expect-head", tmp_path / "absent")[0] == 2
    assert command("--public-key", tmp_path / "nonsense")[0] == 2


def test_since_a_date_only_newer_seals_are_verified(sealed):
    since = Seal.objects.get(number=2).made_at
    with tampering() as cursor:
        cursor.execute(f"UPDATE audit_event SET type = 'x' WHERE id = {sealed[0][0].pk}")
    code, text = command("--since", since.isoformat())
    assert code == 0
    assert "Verified 6 events in 2 seals" in text
    assert command("--since", "2999-01-01")[0] == 2


def test_lines_of_the_log_are_heads(sealed, tmp_path):
    head = seals.head(Seal.objects.get(number=2))
    line = json.dumps({"event": "audit trail sealed", "level": "info"} | head)
    (tmp_path / "log").write_text(f"noise\nweb-1 | {line}\n{{broken\n")
    assert command("--expect-head", tmp_path / "log")[0] == 0
    head["signature"] = "00"
    (tmp_path / "log").write_text(json.dumps({"head": head}))
    assert command("--expect-head", tmp_path / "log")[0] == 1


# Keys --------------------------------------------------------------------------------------------


def test_the_auditor_verifies_with_the_public_key_alone(sealed, settings, tmp_path):
    out = StringIO()
    call_command("audit_key", stdout=out, stderr=StringIO())
    (tmp_path / "key.pem").write_text(out.getvalue())
    settings.AUDIT_SIGNING_KEY = (b"y" * 32,)
    assert command("--public-key", tmp_path / "key.pem")[0] == 0
    assert command()[0] == 1  # the signer is not among the keys that are configured here


def test_a_key_is_rotated(sealed, settings):
    (old,) = settings.AUDIT_SIGNING_KEY
    settings.AUDIT_SIGNING_KEY = (b"n" * 32, old)
    assert found() == {}  # before the new key has signed
    happen()
    seal()
    assert bytes(Seal.objects.get(number=4).public_key) == keys.configured()[0]
    assert found() == {}
    settings.AUDIT_SIGNING_KEY = (b"n" * 32,)  # the new one vouches for all before it
    assert found() == {}
    with tampering() as cursor:
        cursor.execute("UPDATE audit_seal SET made_at = '2026-01-01' WHERE number = 2")
    assert (Kind.SEAL_CHANGED, 2) in found()


# Sealing -----------------------------------------------------------------------------------------


def test_an_idle_sealer_writes_nothing_and_asks_little(sealed, django_assert_num_queries):
    with django_assert_num_queries(3):
        assert sealing.seal_all() == 0
    assert Seal.objects.count() == 3


def test_each_seal_leaves_the_database_by_the_log(monkeypatch):
    told = []
    monkeypatch.setattr(sealing.log, "info", lambda text, **head: told.append(head), raising=False)
    happen()
    seal()
    (head,) = told
    assert head == seals.head(Seal.objects.get())
    assert json.loads(head["payload"])[1] == 1


def test_many_events_are_sealed_in_parts(monkeypatch):
    monkeypatch.setattr(sealing, "MOST_EVENTS", 4)
    happen(9)
    with transaction.atomic():
        for n in range(6):  # more than a seal holds: still one window on PostgreSQL
            journal.record(EventType.USER_UPDATED, actor=SYSTEM, target=Thing(), n=n)
    happen(1)
    assert seal() >= 4
    assert sum(Seal.objects.values_list("count", flat=True)) == 16
    assert found() == {}


@pytest.mark.postgresql
def test_an_old_open_transaction_delays_a_seal_and_breaks_none():
    first = happen(2)
    entered, leave = threading.Event(), threading.Event()

    def linger():
        with transaction.atomic():
            journal.record(EventType.USER_UPDATED, actor=SYSTEM, target=Thing(), slow=True)
            entered.set()
            leave.wait(20)
        connection.close()

    slow = threading.Thread(target=linger)
    slow.start()
    assert entered.wait(20)
    happen(3)
    decided(first)
    sealing.seal_all()
    assert sum(Seal.objects.values_list("count", flat=True)) == 2
    report = verify(trusted=keys.configured())
    assert (report.findings, report.unsealed) == ({}, 3)
    leave.set()
    slow.join()
    seal()
    assert Seal.objects.order_by("-number").first().total == 6
    assert found() == {}


def in_threads(*functions):
    """Run functions at once, each with a connection of its own; raise what one of them raised."""
    failures = []

    def run(function):
        try:
            function()
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_eight_writers_of_whom_some_roll_back_are_sealed_whole():
    busy = threading.Event()

    def write():
        for n in range(40):
            with transaction.atomic():
                journal.record(EventType.USER_UPDATED, actor=SYSTEM, target=Thing(), n=n)
                journal.record(EventType.USER_UPDATED, actor=SYSTEM, target=Thing(), n=n)
                transaction.set_rollback(n % 5 == 0)

    def keep_sealing():
        while not busy.is_set():
            sealing.seal_all()
            busy.wait(0.01)

    sealer = threading.Thread(target=lambda: in_threads(keep_sealing, keep_sealing))
    sealer.start()
    try:
        in_threads(*[write] * 8)
    finally:
        busy.set()
        sealer.join()
    seal()
    report = verify(trusted=keys.configured())
    assert report.findings == {}
    assert (report.events, report.unsealed) == (8 * 32 * 2, 0)
    assert report.seals > 1


def test_two_sealers_at_once_make_one_chain():
    for _ in range(5):
        happen(2)
        in_threads(sealing.seal_all, sealing.seal_all)
    seal()
    assert sum(Seal.objects.values_list("count", flat=True)) == 10
    assert found() == {}


# A restore ---------------------------------------------------------------------------------------


@pytest.mark.postgresql
@pytest.mark.parametrize("unsealed", [0, 2])
def test_a_restore_into_another_cluster_begins_an_epoch(unsealed, monkeypatch):
    """What was restored bears transaction ids that this cluster has not reached."""
    here = windows.horizon()
    there = FAR

    def elsewhere():
        return windows.Horizon("postgresql:other", there + 100, there + 200, windows.horizon().now)

    old = happen(4)
    with tampering() as cursor:
        for n, event in enumerate(old):
            cursor.execute(
                f"UPDATE audit_event SET transaction_id = {there + n} WHERE id = {event.pk}"
            )
    monkeypatch.setattr(sealing, "horizon", elsewhere)
    assert seal() == 1
    late = happen(unsealed)
    with tampering() as cursor:
        for n, event in enumerate(late):
            cursor.execute(
                f"UPDATE audit_event SET transaction_id = {there + 150 + n} WHERE id = {event.pk}"
            )
    monkeypatch.undo()

    decided(happen(3))  # and so those of other tests, which began before
    assert windows.horizon().hi > here.hi
    before = verify(trusted=keys.configured())  # the new epoch has no seal yet
    assert (before.findings, before.unsealed) == ({}, unsealed + 3)
    decided(Event.objects.exclude(transaction_id__gte=FAR))
    sealing.seal_all()
    epochs = [(seal.epoch, seal.count) for seal in Seal.objects.order_by("number")]
    assert epochs == [(1, 4), *([(1, unsealed)] if unsealed else []), (2, 3)]
    happen(2)
    seal()
    assert found() == {}
    with tampering() as cursor:
        cursor.execute(f"DELETE FROM audit_event WHERE id = {old[1].pk}")
        forged = copy_of(old[0], pk=old[1].pk, transaction_id=there + 10**6)
    findings = found()
    if unsealed:  # the old epoch's last seal has no end
        assert findings == {(Kind.DELETED, 1): [forged.pk], (Kind.FORGED, 2): [forged.pk]}
    else:
        assert findings == {(Kind.DELETED, 1): [forged.pk], (Kind.FORGED, None): [forged.pk]}
