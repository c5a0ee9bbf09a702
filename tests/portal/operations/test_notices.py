"""Mail about tokens that end soon."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from portal.operations import notices
from provisioning.models import ExpiryNotice, Token
from provisioning.operations import tokens


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
