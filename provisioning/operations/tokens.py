"""Tokens: generate, set active or inactive, renew, remove, and what the clock does to them."""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, count
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from audit import journal, patience
from audit.actors import SYSTEM, Actor
from audit.jobs import outbox
from audit.types import EventType
from provisioning import secrets
from provisioning.errors import (
    AlreadySent,
    InvalidValue,
    NotFound,
    TokenExpired,
    TokenLimitReached,
    WrongConfirmation,
)
from provisioning.models import ExpiryNotice, Provider, Token, TokenSecret, UsedForm

LIFETIMES_DAYS = (30, 90, 180, 365)
DEFAULT_LIFETIME_DAYS = 365
LONGEST_LIFETIME_DAYS = 3650
OVERLAPS_H = (0, 1, 24)
NOTICE_DAYS = (30, 14, 7, 1)
NOTICE_JOB = "notice.mail"
RECENT_USE = timedelta(hours=24)
LAST_USED_EVERY = timedelta(minutes=1)
NOTE_MS = 250  # how long a note may wait for other writers


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token and its secret, which exists nowhere else and is shown once."""

    token: Token
    secret: str

    def __repr__(self) -> str:
        return f"IssuedToken({self.token!r})"  # never the secret: reprs end up in logs


@transaction.atomic
def generate(
    provider: Provider,
    *,
    actor: Actor,
    name: str = "",
    lifetime_days: int | None = DEFAULT_LIFETIME_DAYS,
    form: str | None = None,
) -> IssuedToken:
    """Create an active token.

    Without a name it has its provider's, with a number when another token has that already. `form`
    is the nonce of the form that asked. Raises TokenLimitReached when every slot is taken,
    AlreadySent when the form was sent before, InvalidValue for a wrong name or lifetime.
    """
    claim(form)
    _check_lifetime(lifetime_days)
    name = " ".join(name.split()) or free_name(provider, provider.tokens.live())
    if len(name) > 100 or not name.isprintable():
        raise InvalidValue(_("The name has at most 100 printable characters."))
    rekey()
    for slot in range(1, settings.SCIM_TOKEN_LIMIT + 1):
        token = Token(
            provider=provider,
            name=name,
            scope=scope_of(provider),
            slot=slot,
            created_by=actor.label,
            lifetime_days=lifetime_days,
            expires_at=_end(lifetime_days),
        )
        secret = secrets.new_secret()
        token.hint = secret[-4:]
        try:
            with transaction.atomic():  # another request may take this slot first: try the next
                token.save(force_insert=True)
        except IntegrityError:
            continue
        _keep_digest(token, secret)
        journal.record(
            EventType.TOKEN_CREATED,
            actor=actor,
            target=token,
            provider=provider.for_audit(),
            token=token.masked,
            expires_at=_text(token.expires_at),
        )
        return IssuedToken(token, secret)
    raise TokenLimitReached


def free_name(provider: Provider, tokens: Iterable[Token]) -> str:
    """Return a name for a provider's next token that none of its tokens has."""
    taken = {token.name for token in tokens}
    numbered = (f"{provider.label} {number}" for number in count(2))
    return next(name for name in chain([provider.label], numbered) if name not in taken)


def activate(token_id: UUID, *, actor: Actor) -> Token:
    """Let a token in again. Records nothing when it already is active."""
    return _set_active(token_id, active=True, actor=actor)


def deactivate(token_id: UUID, *, actor: Actor) -> Token:
    """Refuse a token from the next request on. Records nothing when it already is inactive."""
    return _set_active(token_id, active=False, actor=actor)


@transaction.atomic
def _set_active(token_id: UUID, *, active: bool, actor: Actor) -> Token:
    token = _locked(token_id)
    if active and token.is_expired:
        raise TokenExpired
    if token.is_active == active:
        return token
    token.is_active = active
    token.save(update_fields=["is_active"])
    journal.record(
        EventType.TOKEN_ACTIVATED if active else EventType.TOKEN_DEACTIVATED,
        actor=actor,
        target=token,
        provider=token.provider.for_audit(),
        changes={"active": [not active, active]},
        token=token.masked,
    )
    return token


@transaction.atomic
def renew(
    token_id: UUID, *, actor: Actor, overlap_h: int = 0, form: str | None = None
) -> IssuedToken:
    """Give a token a new secret and a fresh end; its state stays.

    The old secret stops now, or after `overlap_h` hours (1 or 24). Raises NotFound, AlreadySent,
    InvalidValue.
    """
    claim(form)
    if overlap_h not in OVERLAPS_H:
        raise InvalidValue(_("The overlap is 0, 1 or 24 hours."))
    token = _locked(token_id)
    before, old_hint = token.expires_at, token.masked
    secret = secrets.new_secret()
    # An earlier overlap ends with this renewal: at most two secrets of a token work at a time.
    token.secrets.filter(is_current=False).delete()
    if overlap_h:
        ends_at = timezone.now() + timedelta(hours=overlap_h)
        # A renewal never prolongs the old secret beyond the end it had.
        ends_at = min(ends_at, before) if before else ends_at
        token.secrets.update(is_current=False, ends_at=ends_at)
    else:
        ends_at = None
        token.secrets.all().delete()
    token.hint = secret[-4:]
    token.renewed_at = timezone.now()
    token.expires_at = _end(token.lifetime_days)
    token.expiry_recorded_at = None
    token.save(update_fields=["hint", "renewed_at", "expires_at", "expiry_recorded_at"])
    _keep_digest(token, secret)
    journal.record(
        EventType.TOKEN_RENEWED,
        actor=actor,
        target=token,
        provider=token.provider.for_audit(),
        changes={
            "token": [old_hint, token.masked],
            "expires_at": [_text(before), _text(token.expires_at)],
        },
        token=token.masked,
        overlap_hours=overlap_h,
        old_token_ends_at=_text(ends_at),
    )
    return IssuedToken(token, secret)


@transaction.atomic
def remove(token_id: UUID, *, actor: Actor, confirmation: str | None = None) -> Token:
    """Remove a token for good and free its slot.

    `confirmation` is the token's name, asked only when `needs_confirmation`. Raises NotFound,
    WrongConfirmation.
    """
    token = _locked(token_id)
    if needs_confirmation(token) and (confirmation or "").strip() != token.name:
        raise WrongConfirmation
    token.removed_at = timezone.now()
    token.is_active = False
    token.save(update_fields=["removed_at", "is_active"])
    token.secrets.all().delete()
    journal.record(
        EventType.TOKEN_REMOVED,
        actor=actor,
        target=token,
        provider=token.provider.for_audit(),
        token=token.masked,
        last_used_at=_text(token.last_used_at),
    )
    return token


def is_last_in_use(token: Token) -> bool:
    """Return whether a token is its IdP's only usable one and was used in the last 24 hours."""
    if not token.is_active or token.is_expired or token.last_used_at is None:
        return False
    if token.last_used_at < timezone.now() - RECENT_USE:
        return False
    others = Token.objects.usable().filter(provider=token.provider_id).exclude(pk=token.pk)
    return not others.exists()


needs_confirmation = is_last_in_use


def scope_of(provider: Provider) -> str:
    """Return what the limit counts in: the installation, or one provider."""
    if settings.SCIM_TOKEN_LIMIT_SCOPE == "provider":
        return str(provider.pk)
    return "installation"


@transaction.atomic
def rekey(*, actor: Actor = SYSTEM) -> int:
    """Renumber the live tokens under the limit and scope in force; return how many moved.

    Cuts nobody off: tokens above a lowered limit keep working in higher slots, and only block
    new ones until enough are removed.
    """
    tokens = list(
        Token.objects.live()
        .select_for_update(of=("self",))
        .select_related("provider")
        .order_by("pk")
    )
    next_slot: dict[str, int] = defaultdict(int)
    wanted: list[tuple[Token, str, int]] = []
    if all(t.scope == scope_of(t.provider) and t.slot <= settings.SCIM_TOKEN_LIMIT for t in tokens):
        return 0
    for token in sorted(tokens, key=lambda token: (token.slot, token.created_at, token.pk)):
        scope = scope_of(token.provider)
        next_slot[scope] += 1
        if (token.scope, token.slot) != (scope, next_slot[scope]):
            wanted.append((token, scope, next_slot[scope]))
    # Out of the way first: no step of the renumbering may meet a slot that another still holds.
    moving = Token.objects.filter(pk__in=[token.pk for token, _, _ in wanted])
    moving.update(slot=F("slot") + 10_000)
    for token, scope, slot in wanted:
        Token.objects.filter(pk=token.pk).update(scope=scope, slot=slot)
    if wanted:
        journal.record(
            EventType.TOKENS_REKEYED,
            actor=actor,
            target=_Installation(),
            limit=settings.SCIM_TOKEN_LIMIT,
            scope=settings.SCIM_TOKEN_LIMIT_SCOPE,
            tokens=[{"id": str(t.pk), "slot": slot} for t, _, slot in wanted],
        )
    return len(wanted)


class _Installation:
    """The installation itself, as the target of an event."""

    audit_kind = "installation"
    audit_id = "installation"
    audit_label = "Alta"


def claim(form: str | None) -> None:
    """Use up a form's nonce inside the caller's transaction. Raises AlreadySent."""
    if form is None:
        return
    try:
        with transaction.atomic():
            UsedForm.objects.create(nonce=form)
    except IntegrityError:
        raise AlreadySent from None


def expire() -> int:
    """Record the end of each token whose time is over, once; return how many."""
    ended = 0
    due = Token.objects.live().filter(expires_at__lte=Now(), expiry_recorded_at=None)
    for token_id in due.values_list("pk", flat=True):
        with transaction.atomic():
            token = (
                Token.objects.live()
                .select_for_update(of=("self",))
                .select_related("provider")
                .filter(pk=token_id, expires_at__lte=Now(), expiry_recorded_at=None)
                .first()
            )
            if token is None:  # renewed, removed or recorded meanwhile
                continue
            token.expiry_recorded_at = timezone.now()
            token.save(update_fields=["expiry_recorded_at"])
            journal.record(
                EventType.TOKEN_EXPIRED,
                actor=SYSTEM,
                target=token,
                provider=token.provider.for_audit(),
                token=token.masked,
                expires_at=_text(token.expires_at),
            )
            ended += 1
    return ended


def notice_days(token: Token) -> list[int]:
    """Return how many days ahead a token's end is told: fewer than it lives, or it is no news."""
    lifetime = token.lifetime_days
    return [days for days in NOTICE_DAYS if lifetime is None or days < lifetime]


def notify() -> int:
    """Keep one notice for the nearest threshold that each token has passed; return how many.

    Each comes with a job that mails it. A token found late (the jobs were down) gets the nearest
    notice only, not all it missed.
    """
    made = 0
    horizon = timezone.now() + timedelta(days=max(NOTICE_DAYS))
    for token in Token.objects.usable().filter(expires_at__lte=horizon):
        assert token.expires_at is not None  # noqa: S101 — the filter says so; mypy cannot see it
        left = token.expires_at - timezone.now()
        passed = [days for days in notice_days(token) if left <= timedelta(days=days)]
        if not passed:
            continue
        with transaction.atomic():
            notice, created = ExpiryNotice.objects.get_or_create(
                token=token, expires_at=token.expires_at, days=min(passed)
            )
            if created:
                outbox.enqueue(NOTICE_JOB, {"notice": notice.pk}, key=str(notice.pk))
        made += created
    return made


def sweep() -> int:
    """Delete what has had its time: secrets past their overlap, used nonces, old notices."""
    now = timezone.now()
    over, _ = TokenSecret.objects.filter(is_current=False, ends_at__lte=Now()).delete()
    forms, _ = UsedForm.objects.filter(used_at__lt=now - timedelta(days=2)).delete()
    notices, _ = ExpiryNotice.objects.filter(expires_at__lt=now - timedelta(days=30)).delete()
    return over + forms + notices


def note_use(token: Token, secret_digest: str, *, actor: Actor) -> None:
    """Keep when and from where a token was last used, at most once a minute.

    Each secret by itself, so that the first use of a renewed one is known at once. Not a change
    of state, so no event. Conditional UPDATEs: of several workers one writes. A database that is
    busy with another writer is left alone: the next request notes it.
    """
    now = timezone.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USED_EVERY)
    with suppress(OperationalError), patience.soon(NOTE_MS):
        Token.objects.filter(stale, pk=token.pk).update(
            last_used_at=now,
            last_used_ip=actor.origin.ip_address,
            last_used_agent=actor.origin.user_agent[:255],
        )
        TokenSecret.objects.filter(stale, digest=secret_digest).update(last_used_at=now)


def redigest(old_digest: str, secret: str) -> str:
    """Move a secret's digest under the current key, now or with a later use; return it."""
    key_id = secrets.current_key_id()
    new = secrets.digest(secret, key_id)
    with suppress(OperationalError), patience.soon(NOTE_MS):
        TokenSecret.objects.filter(digest=old_digest).update(digest=new, key_id=key_id)
        return new
    return old_digest


def _locked(token_id: UUID) -> Token:
    try:
        return (
            Token.objects.live()
            .select_for_update(of=("self",))
            .select_related("provider")
            .get(pk=token_id)
        )
    except Token.DoesNotExist:
        raise NotFound from None


def _keep_digest(token: Token, secret: str) -> None:
    key_id = secrets.current_key_id()
    TokenSecret.objects.create(
        token=token, digest=secrets.digest(secret, key_id), key_id=key_id, hint=secret[-4:]
    )


def _check_lifetime(days: int | None) -> None:
    if days is not None and not 1 <= days <= LONGEST_LIFETIME_DAYS:
        raise InvalidValue(
            _("The lifetime is from 1 to %(longest)d days, or none.")
            % {"longest": LONGEST_LIFETIME_DAYS}
        )


def _end(lifetime_days: int | None) -> datetime | None:
    return timezone.now() + timedelta(days=lifetime_days) if lifetime_days else None


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
