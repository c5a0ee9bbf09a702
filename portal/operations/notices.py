"""Mail about tokens that end soon: to each administrator with an address, once a notice."""

from typing import Any

from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.jobs.leases import RunningJob
from audit.jobs.registry import Later, handles
from portal.operations import mail
from provisioning.models import ExpiryNotice
from provisioning.operations.tokens import NOTICE_JOB

NOBODY_S = 900  # until it is looked again whether there is a mail server and somebody to write to


@handles(
    NOTICE_JOB,
    most_attempts=mail.MOST_ATTEMPTS,
    transactional=False,
    label=_("E-mail about a token that ends"),
)
def mail_notice(payload: dict[str, Any], job: RunningJob) -> None:
    """Mail a notice, unless it holds no longer or a nearer one of the same end tells more."""
    notice = _that_holds(payload["notice"])
    if notice is None:
        return
    to = mail.recipients()
    if not to:
        raise Later(NOBODY_S)
    context = {"notice": notice, "token": notice.token}
    mail.send("portal/mail/expiry_subject.txt", "portal/mail/expiry.txt", context, to=to, job=job)
    # Notices of earlier thresholds say less of the same end: they are told with this one.
    _of_the_same_end(notice).filter(days__gte=notice.days, mailed_at=None).update(
        mailed_at=timezone.now()
    )


def _that_holds(notice_id: int) -> ExpiryNotice | None:
    """Return a notice that nobody was mailed yet and whose token will end as it says."""
    notice = (
        ExpiryNotice.objects.filter(
            pk=notice_id,
            mailed_at=None,
            expires_at__gt=Now(),
            expires_at=F("token__expires_at"),  # else it was renewed
            token__removed_at=None,
            token__is_active=True,
        )
        .select_related("token__provider")
        .first()
    )
    if notice and _of_the_same_end(notice).filter(days__lt=notice.days).exists():
        return None
    return notice


def _of_the_same_end(notice: ExpiryNotice) -> Any:
    return ExpiryNotice.objects.filter(token=notice.token_id, expires_at=notice.expires_at)
