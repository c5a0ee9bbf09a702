"""Alta's own verification: in parts, told on the page, recorded once."""

import pytest

from audit import standing, tasks
from audit.evidence import keys, seals
from audit.models import Event, Seal, Verification
from audit.operations.verification import verify_some
from portal import roles
from tests.audit.test_evidence import happen, seal, tampering
from tests.conftest import make_person, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sealed():
    """Five seals of two events each."""
    events = []
    for n in range(5):
        events.append(happen(2, n=n))
        assert seal() == 1
    return events


@pytest.fixture
def eva_page():
    roles.ensure("default")
    return sign_in(make_person("eva", roles.AUDITOR))


def recorded():
    return [e.details["findings"] for e in Event.objects.filter(type="trail.broken")]


def test_what_is_new_is_verified_in_parts_and_what_is_old_again(sealed):
    assert verify_some(most_events=4) is False
    assert Verification.objects.get().through == 2
    assert verify_some(most_events=4) is False
    assert verify_some(most_events=4) is True
    state = Verification.objects.get()
    assert (state.through, state.again_from, state.findings) == (5, 4, [])
    assert state.through_at == Seal.objects.get(number=5).made_at
    assert recorded() == []


def test_a_broken_link_is_recorded_once_and_stays_while_it_is_broken(sealed):
    verify_some()
    event = sealed[1][0]
    with tampering() as cursor:
        cursor.execute(f"UPDATE audit_event SET type = 'x' WHERE id = {event.pk}")
    verify_some()
    verify_some()
    finding = {"kind": "changed", "seal": 2, "count": 1, "events": [event.pk]}
    assert recorded() == [[finding]]
    state = Verification.objects.get()
    assert state.findings == [finding]
    assert state.broken_since is not None
    with tampering() as cursor:
        cursor.execute(f"UPDATE audit_event SET type = 'user.updated' WHERE id = {event.pk}")
    verify_some()
    state = Verification.objects.get()
    assert (state.findings, state.broken_since) == ([], None)


def test_a_removed_end_of_the_chain_is_noticed_and_not_forgotten(sealed):
    verify_some()
    with tampering() as cursor:
        cursor.execute("DELETE FROM audit_seal WHERE number = 5")
        cursor.execute(f"DELETE FROM audit_event WHERE id IN {tuple(e.pk for e in sealed[4])}")
    happen(2)
    seal()
    verify_some()
    verify_some()
    assert [f["kind"] for f in Verification.objects.get().findings] == ["head_replaced"]
    assert len(recorded()) == 1


def test_the_task_asks_for_another_turn_until_it_is_done(sealed, monkeypatch):
    turns = []
    monkeypatch.setattr(tasks.verify, "delay", lambda: turns.append(1))
    monkeypatch.setattr(tasks.verification, "verify_some", lambda: len(turns) > 0)
    assert tasks.verify() is False
    assert tasks.verify() is True
    assert turns == [1]


def test_the_page_tells_sealed_from_verified(eva_page, sealed):
    text = eva_page.get("/auditoria/").content.decode()
    assert "Sellado hasta:" in text
    assert "Aún sin verificar" in text
    verify_some()
    text = eva_page.get("/auditoria/").content.decode()
    assert "Verificado hasta:" in text
    assert "sello 5" in text
    assert "se ha manipulado" not in text


def test_the_page_is_red_when_the_trail_is_broken(eva_page, sealed):
    with tampering() as cursor:
        cursor.execute(f"DELETE FROM audit_event WHERE id = {sealed[0][0].pk}")
    verify_some()
    text = eva_page.get("/auditoria/").content.decode()
    assert '<div class="notice bad" role="alert">' in text
    assert "El registro de auditoría se ha manipulado." in text
    assert (
        f"Sello 1: eliminado, o sacado de su sello · id. de los eventos: {sealed[0][0].pk}<" in text
    )
    assert "Registro de auditoría manipulado" in text


def test_the_page_says_when_seals_are_late(eva_page):
    happen()
    with tampering() as cursor:
        cursor.execute("UPDATE audit_event SET performed_at = '2026-01-01 00:00:00'")
    text = eva_page.get("/auditoria/").content.decode()
    assert "Hay eventos que esperan su sello desde:" in text
    assert "Aún sin sellar" in text


def test_alerts_learn_how_long_an_event_waits_for_its_seal():
    assert standing.waiting() is None
    happen()
    with tampering() as cursor:
        cursor.execute("UPDATE audit_event SET performed_at = '2026-01-01 00:00:00'")
    assert standing.waiting() > standing.ALARMING
    seal()
    assert standing.waiting() is None


def test_an_auditor_gets_the_head(eva_page, client, sealed):
    assert client.get("/auditoria/sello/").status_code == 302
    verify_some()
    answer = eva_page.get("/auditoria/sello/").json()
    assert answer["head"] == seals.head(Seal.objects.get(number=5))
    assert answer["head"]["key"] == keys.key_id(keys.configured()[0])
    assert answer["verification"]["throughSeal"] == 5
    assert answer["verification"]["findings"] == []
    assert answer["unsealedSince"] is None


def test_without_a_seal_there_is_no_head(eva_page):
    assert eva_page.get("/auditoria/sello/").json()["head"] is None
