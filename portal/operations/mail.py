"""Mail to the administrators, as jobs: written with what it tells, sent until a server takes it."""

from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from audit.jobs import outbox
from audit.jobs.leases import RunningJob
from audit.jobs.registry import handles
from portal import roles
from portal.models import Account

MOST_ATTEMPTS = 12  # with their back-off: four hours of a mail server that refuses


def enqueue(subject: str, body: str, context: dict[str, Any], *, key: str = "") -> None:
    """Have the administrators mailed, once the caller's transaction is committed.

    `subject` and `body` are templates; the context is JSON, is kept in the database, and holds no
    secret. With a `key`, one such mail waits at a time. Without a mail server nothing is written.
    """
    if settings.EMAIL_CONFIGURED:
        payload = {"subject": subject, "body": body, "context": context}
        outbox.enqueue("mail", payload, key=key)


@handles("mail", most_attempts=MOST_ATTEMPTS, transactional=False, label=_("E-mail"))
def send_queued(payload: dict[str, Any], job: RunningJob) -> None:
    """Send a mail that was written for later, to those who are administrators now."""
    if to := recipients():
        send(payload["subject"], payload["body"], payload["context"], to=to, job=job)


def recipients() -> list[str]:
    """Return the addresses of the active administrators; none while no mail server is named."""
    if not settings.EMAIL_CONFIGURED:
        return []
    accounts = Account.objects.filter(is_active=True, groups__name=roles.ADMINISTRATOR)
    return list(accounts.exclude(email="").order_by("pk").values_list("email", flat=True))


def send(
    subject: str, body: str, context: dict[str, Any], *, to: list[str], job: RunningJob
) -> None:
    """Send a mail in the installation's language. Raises OSError when the server refuses.

    A job that is done twice sends the same Message-ID, by which mail servers know the copy.
    """
    with translation.override(settings.LANGUAGE_CODE):
        context = {"url": settings.PUBLIC_URL} | context
        title = " ".join(render_to_string(subject, context).split())
        text = render_to_string(body, context)
    host = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip("> ") or "localhost"
    identity = f"<job-{job.id}.{int(job.row.created_at.timestamp())}@{host}>"
    EmailMessage(title, text, to=to, headers={"Message-ID": identity}).send()
