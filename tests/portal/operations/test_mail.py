"""Mail to the administrators, written for later."""

import pytest
from django.core import mail

from audit.jobs import running
from audit.models import Job
from portal.operations import mail as portal_mail

SUBJECT, BODY = "portal/mail/test_subject.txt", "portal/mail/test.txt"


@pytest.fixture(autouse=True)
def _templates(settings):
    settings.EMAIL_CONFIGURED = True
    words = {SUBJECT: "{{ idp }} is\nsilent", BODY: "Since {{ since }}. {{ url }}"}
    engine = dict(settings.TEMPLATES[0])
    engine["OPTIONS"] = engine["OPTIONS"] | {
        "loaders": [("django.template.loaders.locmem.Loader", words)]
    }
    settings.TEMPLATES = [engine]


@pytest.mark.django_db
def test_a_mail_is_sent_to_who_is_administrator_then(request):
    portal_mail.enqueue(SUBJECT, BODY, {"idp": "Okta", "since": "Monday"}, key="okta")
    portal_mail.enqueue(SUBJECT, BODY, {"idp": "Okta", "since": "Tuesday"}, key="okta")
    ana = request.getfixturevalue("ana")
    assert running.run_due("default") == 1
    (message,) = mail.outbox
    assert (message.subject, message.to) == ("Okta is silent", [ana.account.email])
    assert message.body == "Since Monday. http://127.0.0.1:8000"


@pytest.mark.django_db
def test_without_a_mail_server_nothing_is_written(settings, ana):
    settings.EMAIL_CONFIGURED = False
    portal_mail.enqueue(SUBJECT, BODY, {})
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_without_an_administrator_there_is_nothing_to_send(eva):
    portal_mail.enqueue(SUBJECT, BODY, {})
    running.run_due("default")
    assert mail.outbox == []
    assert Job.objects.get().state == "done"
