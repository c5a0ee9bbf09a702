"""Who came in, who was refused: the events of sign-in and of roles."""

from axes.helpers import get_cool_off
from django.contrib.auth import login, logout
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from audit import journal
from audit.actors import Actor, Origin
from audit.models import Event
from audit.types import EventType, Outcome
from portal.actors import actor_of
from portal.models import Account

LONGEST_PATH = 300


class _UnknownAccount:
    """A name that no account has. The name itself is not kept: people type passwords there."""

    audit_kind = "account"
    audit_id = ""
    audit_label = "—"


@transaction.atomic
def sign_in(request: HttpRequest, account: Account) -> None:
    """Start the session of an account that has proved who it is."""
    login(request, account)
    journal.record(EventType.SIGNED_IN, actor=actor_of(request), target=account)


@transaction.atomic
def note_refused_sign_in(name: str, *, origin: Origin, reason: str) -> None:
    """Record that a sign-in was refused.

    `reason` is credentials, locked, many_names or many_addresses. While an address or a name is
    locked out its further attempts are not told one by one: nobody floods the trail from outside.
    """
    account = Account.objects.filter(username=name[:150]).first()
    if reason != "credentials" and _lock_is_told(account, origin, reason):
        return
    journal.record(
        EventType.SIGN_IN_FAILED,
        actor=Actor("anonymous", "", "—", origin=origin),
        target=account or _UnknownAccount(),
        outcome=Outcome.FAILURE,
        reason=reason,
    )


def _lock_is_told(account: Account | None, origin: Origin, reason: str) -> bool:
    """Return whether the trail tells already that somebody is locked out for a reason."""
    told = Event.objects.filter(
        type=EventType.SIGN_IN_FAILED.key,
        performed_at__gte=timezone.now() - get_cool_off(),
        details__reason=reason,
    )
    if reason == "many_addresses":
        return told.filter(target_id=account.audit_id if account else "").exists()
    return told.filter(ip_address=origin.ip_address).exists()


@transaction.atomic
def sign_out(request: HttpRequest) -> None:
    """End the session of the signed-in account."""
    actor, account = actor_of(request), request.user
    assert isinstance(account, Account)  # noqa: S101 — the caller has checked the sign-in
    logout(request)
    journal.record(EventType.SIGNED_OUT, actor=actor, target=account)


@transaction.atomic
def note_refused_role(request: HttpRequest) -> None:
    """Record that a signed-in account asked for what its role does not allow."""
    account = request.user
    assert isinstance(account, Account)  # noqa: S101 — the caller has checked the sign-in
    journal.record(
        EventType.ROLE_REFUSED,
        actor=actor_of(request),
        target=account,
        outcome=Outcome.FAILURE,
        method=request.method or "",
        path=request.path[:LONGEST_PATH],
    )
