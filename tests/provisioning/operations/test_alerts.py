"""Alerts: raised once, ended once, each with its event and its mail."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from audit.jobs import running
from audit.models import Event, Job, Verification
from portal.operations import alerts as mails
from provisioning.models import Alert, LoggedRequest, Token
from provisioning.models.fields import new_id
from provisioning.operations import alerts, tokens
from tests.concurrency import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.unreconciled]


def used(idp, ago):
    Token.objects.filter(pk=idp.token.pk).update(last_used_at=timezone.now() - ago)


def asked(idp, count, refused=0):
    for n in range(count):
        LoggedRequest.objects.create(
            id=new_id(), at=timezone.now(), provider_id=idp.provider.pk, provider_kind="okta",
            provider_label="Okta", token_id=idp.token.pk, token_hint="aaaa", method="GET",
            path="/Users", status=400 if n < refused else 200, is_refusal=n < refused,
            duration_us=1, request_id="x",
        )  # fmt: skip


def lasted():
    """Let the open alerts be old enough to end."""
    Alert.objects.update(raised_at=timezone.now() - alerts.SHORTEST)


def kinds():
    return list(Alert.objects.filter(ended_at=None).values_list("kind", "label"))


def told():
    return list(
        Event.objects.filter(category="alert").order_by("pk").values_list("type", flat=True)
    )


def test_an_idp_that_stopped_calling_is_told_once_until_it_calls_again(okta):
    used(okta, timedelta(hours=25))
    assert (alerts.look(), alerts.look()) == ((1, 0), (0, 0))
    assert kinds() == [("silent", "Okta")]
    used(okta, timedelta(minutes=1))
    lasted()
    assert (alerts.look(), alerts.look()) == ((0, 1), (0, 0))
    assert told() == ["alert.raised", "alert.ended"]
    event = Event.objects.get(type="alert.ended")
    assert (event.provider_kind, event.provider_id) == ("okta", okta.provider.pk)
    used(okta, timedelta(hours=30))
    assert alerts.look() == (1, 0)  # another one


@pytest.mark.parametrize("why", ["never called", "inactive", "removed", "off", "called"])
def test_who_cannot_call_or_never_did_is_not_missed(okta, settings, why):
    used(okta, timedelta(hours=25))
    match why:
        case "never called":
            Token.objects.update(last_used_at=None)
        case "inactive":
            tokens.deactivate(okta.token.pk, actor=okta.actor)
        case "removed":
            tokens.remove(okta.token.pk, actor=okta.actor)
        case "off":
            settings.ALERT_SILENCE_HOURS = 0
        case "called":
            used(okta, timedelta(hours=23))
    assert alerts.look() == (0, 0)


@pytest.mark.parametrize(
    ("count", "refused", "expected"),
    [(20, 4, True), (20, 3, False), (19, 19, False), (100, 50, True)],
)
def test_many_refusals_in_an_hour_are_an_alert(okta, count, refused, expected):
    asked(okta, count, refused)
    assert alerts.look() == (int(expected), 0)
    if expected:
        details = Alert.objects.get().details
        assert details == {"percent": refused * 100 // count, "requests": count}


def test_refusals_of_yesterday_are_none(okta):
    asked(okta, 30, 30)
    later = timezone.now() + timedelta(hours=2)
    alerts.timezone = type("Clock", (), {"now": staticmethod(lambda: later)})
    try:
        assert alerts.look() == (0, 0)
    finally:
        alerts.timezone = timezone


def test_a_log_that_holds_a_part_tells_no_share(okta, settings):
    asked(okta, 30, 30)
    settings.PROVISIONING_LOG = "errors"
    assert alerts.look() == (0, 0)


def test_a_sample_of_the_reads_counts_for_all_of_them(okta, settings):
    """Refusals are all kept: beside ten reads of a hundred they are 16 %, not two thirds."""
    settings.PROVISIONING_LOG_READS = 0.1
    asked(okta, 20, 20)
    asked(okta, 10)
    LoggedRequest.objects.filter(is_refusal=False).update(is_sample=True)
    assert alerts.look() == (0, 0)
    settings.ALERT_ERROR_PERCENT = 16
    assert alerts.look() == (1, 0)
    assert Alert.objects.get().details == {"percent": 16, "requests": 120}


def test_without_the_reads_there_is_no_share(okta, settings):
    settings.PROVISIONING_LOG_READS = 0
    asked(okta, 30, 30)
    assert alerts.look() == (0, 0)


def test_what_comes_and_goes_is_told_once(okta):
    for ago in (timedelta(hours=25), timedelta(0)) * 3:
        used(okta, ago)
        alerts.look()
    assert told() == ["alert.raised"]
    assert Job.objects.filter(kind="alert.mail").count() <= 1
    lasted()
    assert alerts.look() == (0, 1)


def test_a_question_that_fails_keeps_no_other_from_being_asked(okta, monkeypatch):
    used(okta, timedelta(hours=25))
    assert alerts.look() == (1, 0)
    lasted()

    def fail():
        raise OSError("the log is away")

    _silent, errors, trail = alerts.DETECTORS
    monkeypatch.setattr(alerts, "DETECTORS", ((fail, _silent[1]), (fail, errors[1]), trail))
    Verification.objects.create(broken_since=timezone.now())
    with pytest.raises(OSError, match="away"):
        alerts.look()
    assert kinds() == [("silent", "Okta"), ("trail_broken", "Alta")]


def test_a_trail_that_was_altered_is_an_alert(db):
    Verification.objects.create(broken_since=timezone.now())
    assert alerts.look() == (1, 0)
    assert kinds() == [("trail_broken", "Alta")]


def test_an_event_that_waits_for_its_seal_is_an_alert(okta, monkeypatch):
    monkeypatch.setattr("audit.standing.Standing.is_late", True)
    assert alerts.look() == (1, 0)
    assert kinds() == [("late_seal", "Alta")]


@pytest.mark.django_db(transaction=True)
def test_eight_who_look_at_once_raise_one(transactional_db):
    Verification.objects.create(broken_since=timezone.now())
    raised = at_once([alerts.look] * 8)
    assert sum(one[0] for one in raised) == 1
    assert told() == ["alert.raised"]


def test_administrators_are_mailed_at_both_ends(okta, ana, eva, settings):
    settings.EMAIL_CONFIGURED = True
    used(okta, timedelta(hours=25))
    alerts.look()
    used(okta, timedelta(0))
    lasted()
    alerts.look()
    assert mails.mail_alert
    assert Job.objects.filter(kind="alert.mail").count() == 2
    running.run_due("default")
    assert [message.to for message in mail.outbox] == [[ana.account.email]] * 2
    first, last = sorted(mail.outbox, key=lambda message: message.subject)
    assert first.subject == "Okta ha dejado de llamar: nada desde hace más de 24 horas."
    assert "/aprovisionamiento/?idp=okta" in first.body
    assert last.subject.startswith("Terminado: Okta")
    assert okta.secret not in first.body


def test_an_alert_is_on_every_page_of_administrators_with_the_way_to_its_cause(
    okta, admin_page, auditor_page
):
    asked(okta, 20, 20)
    alerts.look()
    shown = admin_page.get("/grupos/").text
    assert "Se ha rechazado el 100 % de las 20 peticiones de Okta en una hora." in shown
    assert "idp=okta&amp;refused=1" in shown
    assert "Se ha rechazado" not in auditor_page.get("/grupos/").text
