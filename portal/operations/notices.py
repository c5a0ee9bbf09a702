"""Mail about tokens that end soon: to each administrator with an address, once a notice."""

import logging

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.utils import timezone, translation

from portal import roles
from portal.models import Account
from provisioning.models import ExpiryNotice

log = logging.getLogger("alta.mail")


def mail_due() -> int:
    """Mail the notices that nobody mailed yet; return how many.

    A notice is claimed before it is sent, so that two workers send it once; when the mail server
    refuses, the claim is given back and the next run tries again.
    """
    if not settings.EMAIL_CONFIGURED:
        return 0
    accounts = Account.objects.filter(is_active=True, groups__name=roles.ADMINISTRATOR)
    recipients = list(accounts.exclude(email="").values_list("email", flat=True))
    sent = 0
    due = ExpiryNotice.objects.filter(mailed_at=None, expires_at__gt=Now())
    for notice in due.select_related("token__provider").order_by("expires_at"):
        claim = ExpiryNotice.objects.filter(pk=notice.pk, mailed_at=None)
        if not recipients or not claim.update(mailed_at=timezone.now()):
            continue
        try:
            _message(notice, recipients).send()
        except OSError as error:  # smtplib's errors are OSErrors too
            ExpiryNotice.objects.filter(pk=notice.pk).update(mailed_at=None)
            log.warning("The mail server refused a notice: %s", error)
            break
        sent += 1
    return sent


def _message(notice: ExpiryNotice, recipients: list[str]) -> EmailMessage:
    """Write the mail in the installation's language; it holds no secret."""
    with translation.override(settings.LANGUAGE_CODE):
        context = {"notice": notice, "token": notice.token, "url": settings.PUBLIC_URL}
        subject = render_to_string("portal/mail/expiry_subject.txt", context)
        body = render_to_string("portal/mail/expiry.txt", context)
    return EmailMessage(" ".join(subject.split()), body, to=recipients)
