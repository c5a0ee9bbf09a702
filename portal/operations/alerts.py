"""Mail about alerts: when one is raised, and when it is over."""

from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from audit.jobs.leases import RunningJob
from audit.jobs.registry import handles
from portal import alerts
from portal.operations import mail
from provisioning.models.alerts import Alert
from provisioning.operations.alerts import MAIL_JOB


@handles(
    MAIL_JOB,
    most_attempts=mail.MOST_ATTEMPTS,
    transactional=False,
    label=_("E-mail about an alert"),
)
def mail_alert(payload: dict[str, Any], job: RunningJob) -> None:
    """Mail an alert to the administrators; nobody to write to is no failure: the portal says it."""
    alert = Alert.objects.filter(pk=payload["alert"]).first()
    to = mail.recipients()
    if alert is None or not to:
        return
    with translation.override(settings.LANGUAGE_CODE):
        shown = alerts.Told.of(alert)
        context = {
            "sentence": shown.sentence,
            "advice": shown.advice,
            "is_over": payload["is_over"],
            "page": f"{settings.PUBLIC_URL}{shown.url}",
        }
    mail.send("portal/mail/alert_subject.txt", "portal/mail/alert.txt", context, to=to, job=job)
