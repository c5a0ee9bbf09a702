"""Mail about tokens that end soon: to each administrator with an address, once a notice."""

import logging

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.utils import timezone, translation

from portal import roles
from portal.models import Account
from provisioning.models import ExpiryNotice

log = logging.getLogger("alta.mail")


def mail_due() -> int:
    """Mail what still holds and nobody mailed yet, the nearest of a token only; return how many.

    Notices are claimed before the mail is sent, so that two workers send it once; when the mail
    server refuses, the claim is given back and the next run tries again.
    """
    if not settings.EMAIL_CONFIGURED:
        return 0
    accounts = Account.objects.filter(is_active=True, groups__name=roles.ADMINISTRATOR)
    recipients = list(accounts.exclude(email="").values_list("email", flat=True))
    sent = 0
    for notice in _nearest() if recipients else ():
        # Notices of earlier thresholds say less of the same end: they are told with this one.
        told = ExpiryNotice.objects.filter(
            token=notice.token_id, expires_at=notice.expires_at, days__gte=notice.days
        )
        now = timezone.now()
        if not told.filter(mailed_at=None).update(mailed_at=now):
            continue  # another worker was first
        try:
            _message(notice, recipients).send()
        except OSError as error:  # smtplib's errors are OSErrors too
            told.filter(mailed_at=now).update(mailed_at=None)
            log.warning("The mail server refused a notice: %s", error)
            break
        sent += 1
    return sent


def _nearest() -> list[ExpiryNotice]:
    """Return the nearest unmailed notice of each token that will end as the notice says."""
    due = ExpiryNotice.objects.filter(
        mailed_at=None,
        expires_at__gt=Now(),
        expires_at=F("token__expires_at"),  # else it was renewed
        token__removed_at=None,
        token__is_active=True,
    )
    found = due.select_related("token__provider").order_by("expires_at", "token_id", "-days")
    return list({notice.token_id: notice for notice in found}.values())


def _message(notice: ExpiryNotice, recipients: list[str]) -> EmailMessage:
    """Write the mail in the installation's language; it holds no secret."""
    with translation.override(settings.LANGUAGE_CODE):
        context = {"notice": notice, "token": notice.token, "url": settings.PUBLIC_URL}
        subject = render_to_string("portal/mail/expiry_subject.txt", context)
        body = render_to_string("portal/mail/expiry.txt", context)
    return EmailMessage(" ".join(subject.split()), body, to=recipients)
