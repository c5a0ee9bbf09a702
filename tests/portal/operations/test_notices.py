"""Mail about tokens that end soon."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from portal.operations import notices
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


def test_each_notice_is_mailed_once_to_the_administrators(ending, ana, eva):
    assert (notices.mail_due(), notices.mail_due()) == (1, 0)
    (message,) = mail.outbox
    assert message.to == [ana.account.email]
    assert "Entra ID" in message.subject
    assert "\n" not in message.subject


def test_the_mail_holds_no_secret(ending, ana, entra):
    notices.mail_due()
    assert entra.secret not in mail.outbox[0].body


def test_a_refused_mail_is_tried_again(ending, ana, monkeypatch):
    def refuse(*args, **kwargs):
        raise ConnectionRefusedError("no mail server")

    with monkeypatch.context() as patched:
        patched.setattr(mail.EmailMessage, "send", refuse)
        assert notices.mail_due() == 0
    assert ExpiryNotice.objects.filter(mailed_at=None).count() == 1
    assert notices.mail_due() == 1


def test_nothing_is_claimed_while_nobody_has_an_address(ending, eva):
    assert notices.mail_due() == 0
    assert ExpiryNotice.objects.filter(mailed_at=None).count() == 1


def test_without_a_mail_server_nothing_is_tried(ending, ana, settings):
    settings.EMAIL_CONFIGURED = False
    assert notices.mail_due() == 0


def test_a_token_renewed_or_removed_or_set_inactive_is_not_told(ending, ana, entra, okta):
    Token.objects.update(expires_at=timezone.now() + timedelta(days=6))
    tokens.notify()
    tokens.renew(entra.token.pk, actor=ana)
    tokens.remove(okta.token.pk, actor=ana)
    assert notices.mail_due() == 0
    tokens.generate(okta.provider, actor=ana)
    Token.objects.live().update(expires_at=timezone.now() + timedelta(days=5))
    tokens.notify()
    for token in Token.objects.live():
        tokens.deactivate(token.pk, actor=ana)
    assert notices.mail_due() == 0
    assert mail.outbox == []


def test_a_mail_server_that_is_named_late_tells_the_nearest_threshold_only(entra, ana, settings):
    settings.EMAIL_CONFIGURED = False
    end = entra.token.expires_at
    for days in (29, 13, 6):
        with time_machine.travel(end - timedelta(days=days)):
            assert tokens.notify() == 1
            assert notices.mail_due() == 0
    settings.EMAIL_CONFIGURED = True
    assert (notices.mail_due(), notices.mail_due()) == (1, 0)
    assert "7 días" in mail.outbox[0].subject
    assert not ExpiryNotice.objects.filter(mailed_at=None).exists()


def test_a_refused_mail_leaves_every_threshold_to_be_told(entra, ana, monkeypatch):
    def refuse(*args, **kwargs):
        raise ConnectionRefusedError("no mail server")

    end = entra.token.expires_at
    for days in (29, 13):
        with time_machine.travel(end - timedelta(days=days)):
            tokens.notify()
    monkeypatch.setattr(mail.EmailMessage, "send", refuse)
    assert notices.mail_due() == 0
    assert ExpiryNotice.objects.filter(mailed_at=None).count() == 2
