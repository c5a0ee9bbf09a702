"""An export is whole or not there, whatever happens to whoever makes it."""

import hashlib
import json
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from audit import journal
from audit.evidence import sealing, seals
from audit.exports import files, making, rows, stream
from audit.exports.formats import FORMATS
from audit.jobs import running
from audit.models import Event, ExportChunk, Job, TrailExport
from audit.operations import exports
from audit.types import EventType
from tests.audit.test_evidence import decided
from tests.conftest import MAKER

pytestmark = pytest.mark.django_db(transaction=True)
State = TrailExport.State


def ask(format: str = "jsonl", query: str = "", actor: Any = MAKER) -> TrailExport:
    return exports.ask(format, query, language="es", time_zone="Europe/Madrid", actor=actor)


class User:
    """What the events of these tests are about."""

    audit_kind = "user"
    audit_id = "1"

    def __init__(self, name: str) -> None:
        self.audit_label = name


def record(number: int) -> None:
    """Record events as operations do, so that a seal can cover them."""
    for n in range(number):
        with transaction.atomic():
            journal.record(EventType.USER_UPDATED, actor=MAKER, target=User(f"u{n}@example.com"))


def made(export: TrailExport) -> TrailExport:
    running.run_due("exports")
    export.refresh_from_db()
    return export


def kept(export: TrailExport, folder: Path) -> Path:
    path = folder / "file"
    path.write_bytes(b"".join(making.file_of(export)))
    return path


@pytest.mark.parametrize("format", FORMATS)
def test_an_export_holds_the_events_and_proves_itself(tmp_path, monkeypatch, format):
    record(25)
    decided(Event.objects.all())
    sealing.seal_all()
    monkeypatch.setattr(making, "CHUNK", 1_000)
    monkeypatch.setattr(rows, "AT_ONCE", 4)
    export = made(ask(format))
    assert (export.state, export.rows, export.estimate, export.error) == (State.DONE, 25, 25, "")
    assert export.chunks.count() > 3
    path = kept(export, tmp_path)
    data = path.read_bytes()
    assert len(data) == export.size
    assert hashlib.sha256(data).hexdigest() == export.sha256
    is_whole, trailer = files.is_whole(path)
    assert is_whole
    assert trailer["rows"] == 25
    assert trailer["head"] == seals.head(seals.newest())
    assert [data.count(f"u{n}@example.com".encode()) > 0 for n in range(25)] == [True] * 25
    call_command("audit_verify", "--expect-head", str(path))
    path.write_text(json.dumps(making.manifest(export)))
    call_command("audit_verify", "--expect-head", str(path))


@pytest.mark.parametrize("format", FORMATS)
def test_one_changed_byte_is_found(happened, tmp_path, format):
    happened(label="luis@example.com")
    path = kept(made(ask(format)), tmp_path)
    path.write_bytes(path.read_bytes().replace(b"luis@", b"lucy@", 1))
    assert not files.is_whole(path)[0]
    with pytest.raises(CommandError, match="was altered"):
        call_command("audit_export", "--check", str(path))


def test_an_export_is_of_what_the_filters_show_as_of_when_it_was_asked(happened, tmp_path):
    now = timezone.now()
    happened(now - timedelta(hours=2), label="inside@example.com")
    happened(now - timedelta(hours=30), label="before@example.com")
    happened(now - timedelta(hours=2), label="other@example.com", type="user.created")
    export = ask(query="period=24h&activity=user.updated")
    happened(now + timedelta(hours=1), label="later@example.com")
    text = kept(made(export), tmp_path).read_text()
    assert "inside@example.com" in text
    assert not any(name in text for name in ("before@", "other@", "later@"))


def test_the_oldest_event_comes_first(happened, tmp_path):
    now = timezone.now()
    for n in (2, 3, 1):
        happened(now - timedelta(hours=n), label=f"u{n}")
    lines = kept(made(ask(query="activity=user.updated")), tmp_path).read_text().splitlines()[:-1]
    assert [json.loads(line)["target"]["label"] for line in lines] == ["u3", "u2", "u1"]


def test_an_attempt_that_died_leaves_nothing_in_the_file(happened, tmp_path, monkeypatch):
    for n in range(10):
        happened(label=f"u{n}")
    monkeypatch.setattr(making, "CHUNK", 500)
    monkeypatch.setattr(rows, "AT_ONCE", 2)
    export = ask()
    job = running.claim("exports")
    assert job
    whole = stream.parts

    def killed(export: TrailExport) -> Any:
        for number, part in enumerate(whole(export)):
            if number == 3:
                raise KeyboardInterrupt  # nothing of Alta catches it: as a kill does
            yield part

    with monkeypatch.context() as patched:
        patched.setattr(stream, "parts", killed)
        with pytest.raises(KeyboardInterrupt):
            running.run(job)
    assert ExportChunk.objects.count() > 0
    Job.objects.update(due_at=timezone.now() - timedelta(seconds=1))  # its lease ended
    made(export)
    assert export.state == State.DONE
    assert set(export.chunks.values_list("run", flat=True)) == {export.run}
    assert files.is_whole(kept(export, tmp_path))[0]


def test_a_worker_that_was_thought_dead_adds_nothing(happened, tmp_path, monkeypatch):
    for n in range(10):
        happened(label=f"u{n}")
    monkeypatch.setattr(making, "CHUNK", 500)
    monkeypatch.setattr(rows, "AT_ONCE", 2)
    export = ask()
    slow = running.claim("exports")
    assert slow
    whole = stream.parts
    is_first = True

    def overtaken(export: TrailExport) -> Any:
        nonlocal is_first
        began, is_first = is_first, False
        for number, part in enumerate(whole(export)):
            if began and number == 3:
                Job.objects.update(due_at=timezone.now() - timedelta(seconds=1))
                running.run_due("exports")
            yield part

    monkeypatch.setattr(stream, "parts", overtaken)
    running.run(slow)
    export.refresh_from_db()
    assert export.state == State.DONE
    assert set(export.chunks.values_list("run", flat=True)) == {export.run}
    assert files.is_whole(kept(export, tmp_path))[0]
    assert Job.objects.get().state == "done"


def test_a_person_has_so_many_exports_at_a_time(ana):
    for _ in range(exports.MOST_UNFINISHED):
        ask(actor=ana)
    before = Event.objects.count()
    with pytest.raises(exports.TooManyExports):
        ask(actor=ana)
    assert Event.objects.count() == before
    assert ask().pk, "somebody else"


def test_a_file_is_deleted_when_its_days_are_over(happened, settings):
    settings.AUDIT_EXPORT_DAYS = 2
    happened()
    export = made(ask())
    assert export.expires_at - export.finished_at == timedelta(days=2)
    assert making.expire() == 0
    TrailExport.objects.update(expires_at=timezone.now())
    assert making.expire() == 1
    export.refresh_from_db()
    assert (export.state, export.chunks.count()) == (State.EXPIRED, 0)
    with pytest.raises(exports.NotReady):
        exports.note_download(export.pk, actor=MAKER)


def test_sealing_goes_on_while_an_export_is_read(monkeypatch):
    record(10)
    monkeypatch.setattr(rows, "AT_ONCE", 2)
    export = ask()
    with closing(stream.parts(export)) as parts:
        next(parts), next(parts)
        decided(Event.objects.all())
        sealing.seal_all()
        newest = seals.newest()
        assert newest
        assert newest.total == 11
        assert sum(1 for _ in parts) > 2


def test_the_command_writes_and_checks_a_file(happened, tmp_path, capsys):
    happened(label="luis@example.com")
    path = tmp_path / "trail.csv"
    call_command("audit_export", "--format", "csv", "--query", "?q=luis", "--output", str(path))
    assert "luis@example.com" in path.read_text()
    assert Event.objects.filter(type="trail.exported", details__format="csv").count() == 1
    call_command("audit_export", "--check", str(path))
    assert "Whole: 1 events" in capsys.readouterr().out
    with pytest.raises(CommandError, match="exists"):
        call_command("audit_export", "--format", "csv", "--output", str(path))
    with pytest.raises(CommandError, match="trailer"):
        call_command("audit_export", "--check", __file__)
