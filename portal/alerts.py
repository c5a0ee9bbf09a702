"""Alerts in the words of administrators, with the page that shows why."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from provisioning.models.alerts import Alert


@dataclass(frozen=True, slots=True)
class Told:
    """What one alert says."""

    sentence: str
    advice: str
    url: str
    is_bad: bool

    @classmethod
    def of(cls, alert: Alert) -> Self:
        """Tell an alert in the language in force."""
        words = {"idp": alert.label} | alert.details
        match alert.kind:
            case Alert.Kind.SILENT:
                return cls(
                    _("%(idp)s has not called for more than %(hours)s hours.") % words,
                    _("See whether provisioning is switched on there, and its token valid."),
                    f"{reverse('portal:tokens')}?{urlencode({'idp': alert.provider_kind})}",
                    is_bad=False,
                )
            case Alert.Kind.ERRORS:
                return cls(
                    _("%(percent)s %% of %(requests)s requests of %(idp)s in an hour were refused.")
                    % words,
                    _("The provisioning log says why, and what to do."),
                    f"{reverse('portal:requests')}?"
                    + urlencode({"idp": alert.provider_kind, "refused": 1}),
                    is_bad=True,
                )
            case Alert.Kind.LATE_SEAL:
                return cls(
                    _("Events of the audit trail wait for their seal for more than a minute."),
                    _("A transaction that stays open holds the seals back, or no worker runs."),
                    reverse("audit:events"),
                    is_bad=False,
                )
            case _other:
                return cls(
                    _("The verification found that the audit trail was altered."),
                    _("The page of the trail says what was found."),
                    reverse("audit:events"),
                    is_bad=True,
                )


def open_ones() -> list[Told]:
    """Return what administrators are to be warned of now: one question, by an index."""
    return [Told.of(alert) for alert in Alert.objects.filter(ended_at=None)]
