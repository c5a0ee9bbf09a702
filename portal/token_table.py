"""«Estado del token»: what the table and its counter show, read in a constant number of queries."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Prefetch, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from provisioning.models import ExpiryNotice, Provider, Token, TokenSecret
from provisioning.operations.tokens import RECENT_USE, free_name, notice_days


@dataclass(frozen=True, slots=True)
class Badge:
    """A status in words, and its colour."""

    text: str
    tone: str = ""


class Row:
    """A token as its line in the table shows it."""

    def __init__(self, token: Token, siblings: list[Token]) -> None:
        self.token = token
        self.provider = token.provider
        self._siblings = siblings

    @property
    def badges(self) -> list[Badge]:
        """The token's status: expired comes first, for it is why the IdP is refused."""
        if self.token.is_expired:
            return [Badge(_("Expired"), "bad")]
        if not self.token.is_active:
            return [Badge(_("Inactive"))]
        soon = [Badge(_("Expires soon"), "warn")] if self.expires_soon else []
        return [Badge(_("Active"), "good"), *soon]

    @property
    def expires_soon(self) -> bool:
        end, now = self.token.expires_at, timezone.now()
        soon = timedelta(days=max(notice_days(self.token), default=0))
        return end is not None and now < end <= now + soon

    @property
    def may_activate(self) -> bool:
        return not self.token.is_active and not self.token.is_expired

    @property
    def renewed_until(self) -> datetime | None:
        """When the token would end if it were renewed now."""
        days = self.token.lifetime_days
        return timezone.now() + timedelta(days=days) if days else None

    @cached_property
    def old_secret(self) -> TokenSecret | None:
        """The secret before the renewal, while it still works."""
        now = timezone.now()
        return next(
            (
                s
                for s in self.token.secrets.all()
                if not s.is_current and s.ends_at and s.ends_at > now
            ),
            None,
        )

    @property
    def overlap_left(self) -> timedelta | None:
        """For how long the old secret still works."""
        old = self.old_secret
        return old.ends_at - timezone.now() if old and old.ends_at else None

    @property
    def has_switched(self) -> bool:
        """Whether the IdP already uses the new secret and no longer the old one."""
        old = self.old_secret
        new = next((s for s in self.token.secrets.all() if s.is_current), None)
        if old is None or new is None or new.last_used_at is None:
            return False
        return old.last_used_at is None or old.last_used_at < new.last_used_at

    @cached_property
    def is_last_in_use(self) -> bool:
        """As `operations.tokens.is_last_in_use`, from the rows at hand."""
        if not _usable(self.token) or self.token.last_used_at is None:
            return False
        if self.token.last_used_at < timezone.now() - RECENT_USE:
            return False
        return not any(
            other.provider_id == self.token.provider_id and _usable(other)
            for other in self._siblings
            if other.pk != self.token.pk
        )


def _usable(token: Token) -> bool:
    return token.is_active and not token.is_expired


class Table:
    """The tokens of one provider, or of all of them, under the limit in force."""

    def __init__(self, provider: Provider | None) -> None:
        self.provider = provider
        live = Token.objects.live().select_related("provider")
        secrets = Prefetch("secrets", TokenSecret.objects.order_by("created_at"))
        self._live = list(live.prefetch_related(secrets))
        self.limit: int = settings.SCIM_TOKEN_LIMIT
        self.is_per_provider: bool = settings.SCIM_TOKEN_LIMIT_SCOPE == "provider"

    @cached_property
    def rows(self) -> list[Row]:
        """The lines of the table."""
        return [Row(token, self._live) for token in self._live if self._shows(token)]

    def _shows(self, token: Token) -> bool:
        return self.provider is None or token.provider_id == self.provider.pk

    @property
    def used(self) -> int:
        """How many tokens count against the limit here."""
        return len(self.rows) if self.is_per_provider else len(self._live)

    @property
    def next_name(self) -> str:
        """A name for the provider's next token that none of its tokens has."""
        if self.provider is None:
            return ""
        return free_name(self.provider, (row.token for row in self.rows))

    @cached_property
    def counts(self) -> list[tuple[Provider, int]]:
        """How many tokens each provider has, for those that have any."""
        numbers = Counter(token.provider_id for token in self._live)
        providers = {token.provider_id: token.provider for token in self._live}
        found = sorted(providers.values(), key=lambda provider: provider.position)
        return [(provider, numbers[provider.pk]) for provider in found]

    @property
    def is_full(self) -> bool:
        """Whether no token may be generated for the chosen provider."""
        return self.provider is not None and self.used >= self.limit

    @property
    def reason(self) -> str:
        """Why no token may be generated."""
        return limit_rule()


def limit_rule() -> str:
    """Say how many tokens may exist, under the settings in force."""
    limit = settings.SCIM_TOKEN_LIMIT
    if settings.SCIM_TOKEN_LIMIT_SCOPE == "provider":
        return ngettext(
            "At most %(limit)d token may exist for each identity provider. "
            "Remove one to generate another.",
            "At most %(limit)d tokens may exist for each identity provider. "
            "Remove one to generate another.",
            limit,
        ) % {"limit": limit}
    return ngettext(
        "At most %(limit)d token may exist in this installation. Remove one to generate another.",
        "At most %(limit)d tokens may exist in this installation. Remove one to generate another.",
        limit,
    ) % {"limit": limit}


@dataclass(frozen=True, slots=True)
class ExpiryWarning:
    """A token whose end is near, as each page says it."""

    token: Token
    expires_at: datetime
    is_over: bool


def expiry_warnings() -> list[ExpiryWarning]:
    """Return the tokens that notices were kept for and that nobody has renewed or removed since."""
    current = Q(expires_at=F("token__expires_at"), token__removed_at=None)
    inactive_and_not_over = Q(token__is_active=False, expires_at__gt=Now())
    notices = (
        ExpiryNotice.objects.filter(current)
        .exclude(inactive_and_not_over)
        .select_related("token__provider")
        .order_by("expires_at", "token_id", "days")
    )
    nearest = {notice.token_id: notice for notice in reversed(list(notices))}
    return [
        ExpiryWarning(notice.token, notice.expires_at, notice.token.is_expired)
        for notice in sorted(nearest.values(), key=lambda notice: notice.expires_at)
    ]
