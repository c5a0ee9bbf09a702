"""Does everything that is kept follow from its events: the directory, and the portal accounts?"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from audit.models import Event
from portal.models import Account
from provisioning.reconciliation import directory
from provisioning.reconciliation.comparing import Kept, Result, compare, one_moment

OnRows = Callable[[int], None]


def reconcile(on_rows: OnRows = lambda count: None) -> Result:
    """Compare every row with its events, as of one moment."""
    result = Result()
    with one_moment():
        trimmed = trimmed_until()
        directory.reconcile(result, trimmed_until=trimmed, on_rows=on_rows)
        compare("account", _accounts(), result, trimmed_until=trimmed, on_rows=on_rows)
    return result


def trimmed_until() -> datetime | None:
    """Return from when on the trail is kept, or None for the very beginning."""
    last = Event.objects.filter(type="trail.trimmed").order_by("-details__month").first()
    if last is None:
        return None
    year, month = (int(part) for part in last.details["month"].split("-")[:2])
    return datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)


def _accounts() -> Iterator[Kept]:
    """In the order of their ids as texts, which is that of the events."""
    accounts = Account.objects.prefetch_related("groups")
    for account in sorted(accounts, key=lambda each: str(each.pk)):
        values = {"role": account.role, "name": account.get_username()}
        yield Kept(str(account.pk), account.get_username(), "", account.date_joined, values)
