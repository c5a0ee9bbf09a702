"""Mail about tokens that end soon: a job with each notice."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.db.models.functions import Now
from django.utils import timezone

from audit.jobs import running
from audit.models import Event, Job
from portal.operations import mail as portal_mail
from provisioning.models import ExpiryNotice, Token
from provisioning.operations import tokens

pytestmark = pytest.mark.unreconciled


@pytest.fixture(autouse=True)
def _mail(settings):
    settings.EMAIL_CONFIGURED = True


@pytest.fixture
def ending(entra):
    Token.objects.update(expires_at=timezone.now() + timedelta(days=6))
    assert tokens.notify() == 1


@pytest.fixture
def refused(monkeypatch):
    def refuse(*args, **kwargs):
        raise ConnectionRefusedError("no mail server")

    monkeypatch.setattr(mail.EmailMessage, "send", refuse)


def work() -> int:
    """Do every job that waits, whenever it is due; return how many mails that sent."""
    before = len(mail.outbox)
    Job.objects.filter(state="waiting").update(due_at=Now() - timedelta(seconds=1))
    running.run_due("default")
    return len(mail.outbox) - before


def test_each_notice_is_mailed_once_to_the_administrators(ending, ana, eva):
    assert tokens.notify() == 0
    assert (work(), work()) == (1, 0)
    (message,) = mail.outbox
    assert message.to == [ana.account.email]
    assert "Entra ID" in message.subject
    assert "\n" not in message.subject
    assert ExpiryNotice.objects.get().mailed_at


def test_the_mail_and_the_job_hold_no_secret(ending, ana, entra):
    assert entra.secret not in str(list(Job.objects.values()))
    work()
    assert entra.secret not in mail.outbox[0].body


def test_a_worker_that_dies_after_sending_sends_one_copy_that_can_be_known(ending, ana):
    held = running.claim("default")
    portal_mail.send(
        "portal/mail/expiry_subject.txt",
        "portal/mail/expiry.txt",
        {"notice": ExpiryNotice.objects.get(), "token": Token.objects.get()},
        to=portal_mail.recipients(),
        job=held,
    )
    Job.objects.update(due_at=Now() - timedelta(seconds=1))  # the lease of the dead worker
    running.run_due("default")
    first, copy = mail.outbox
    assert first.message()["Message-ID"] == copy.message()["Message-ID"]
    assert Job.objects.get().state == "done"


def test_a_refused_mail_is_tried_again(ending, ana, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(mail.EmailMessage, "send", lambda *args: 1 / 0)
        assert work() == 0
    assert ExpiryNotice.objects.filter(mailed_at=None).count() == 1
    assert work() == 1


def test_a_mail_that_is_always_refused_becomes_a_dead_letter(ending, ana, refused):
    for _ in range(portal_mail.MOST_ATTEMPTS):
        assert Job.objects.get().state == "waiting"
        work()
    assert Job.objects.get().state == "failed"
    assert "no mail server" in Job.objects.get().error
    assert Event.objects.filter(type="job.failed").count() == 1


@pytest.mark.parametrize("missing", ["administrator", "server"])
def test_a_notice_waits_for_somebody_to_write_to(ending, request, settings, missing):
    settings.EMAIL_CONFIGURED = missing != "server"
    if missing == "server":
        request.getfixturevalue("ana")
    for _ in range(portal_mail.MOST_ATTEMPTS + 1):
        assert work() == 0
    job = Job.objects.get()
    assert (job.state, job.attempts) == ("waiting", 0)
    settings.EMAIL_CONFIGURED = True
    if missing == "administrator":
        request.getfixturevalue("ana")
    assert work() == 1


def test_a_token_renewed_or_removed_or_set_inactive_is_not_told(ending, ana, entra, okta):
    Token.objects.update(expires_at=timezone.now() + timedelta(days=6))
    tokens.notify()
    tokens.renew(entra.token.pk, actor=ana)
    tokens.remove(okta.token.pk, actor=ana)
    assert work() == 0
    tokens.generate(okta.provider, actor=ana)
    Token.objects.live().update(expires_at=timezone.now() + timedelta(days=5))
    tokens.notify()
    for token in Token.objects.live():
        tokens.deactivate(token.pk, actor=ana)
    assert work() == 0
    assert mail.outbox == []
    assert not Job.objects.exclude(state="done").exists()


def test_a_mail_server_that_is_named_late_tells_the_nearest_threshold_only(entra, ana, settings):
    settings.EMAIL_CONFIGURED = False
    end = entra.token.expires_at
    for days in (29, 13, 6):
        with time_machine.travel(end - timedelta(days=days)):
            assert tokens.notify() == 1
        assert work() == 0
    settings.EMAIL_CONFIGURED = True
    assert (work(), work()) == (1, 0)
    assert "7 días" in mail.outbox[0].subject
    assert not ExpiryNotice.objects.filter(mailed_at=None).exists()


def test_a_refused_mail_leaves_every_threshold_to_be_told(entra, ana, refused):
    end = entra.token.expires_at
    for days in (29, 13):
        with time_machine.travel(end - timedelta(days=days)):
            tokens.notify()
    assert work() == 0
    assert ExpiryNotice.objects.filter(mailed_at=None).count() == 2


def test_a_notice_that_is_not_kept_leaves_no_job(entra, monkeypatch):
    monkeypatch.setattr(tokens.outbox, "enqueue", lambda *args, **options: 1 / 0)
    Token.objects.update(expires_at=timezone.now() + timedelta(days=6))
    with pytest.raises(ZeroDivisionError):
        tokens.notify()
    assert not ExpiryNotice.objects.exists()
