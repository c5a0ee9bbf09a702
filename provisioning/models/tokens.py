"""Tokens that let an IdP in, their digests, and what watches over them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from django.db import connection, models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from provisioning.models.fields import CreatedField, KeyField, new_id
from provisioning.models.providers import Provider


class TokenQuerySet(models.QuerySet["Token"]):
    def live(self) -> Self:
        """Tokens that exist: active, inactive or expired, but not removed."""
        return self.filter(removed_at=None)

    def usable(self) -> Self:
        """Tokens that let their IdP in now."""
        unexpired = models.Q(expires_at=None) | models.Q(expires_at__gt=Now())
        return self.live().filter(unexpired, is_active=True)


class Token(models.Model):
    """A token of one IdP. Its secret is shown once; only digests of it are kept.

    At most SCIM_TOKEN_LIMIT live tokens hold a slot in each scope: numbered slots under a unique
    constraint, so that no race can make one more.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="tokens")
    name = models.CharField(_("name"), max_length=100)
    scope = models.CharField(max_length=36, editable=False)
    slot = models.PositiveSmallIntegerField(editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    hint = models.CharField(max_length=4, editable=False)
    created_at = CreatedField(_("created"))
    created_by = models.CharField(_("created by"), max_length=255)
    renewed_at = models.DateTimeField(_("renewed"), null=True)
    lifetime_days = models.PositiveSmallIntegerField(_("lifetime"), null=True)
    expires_at = models.DateTimeField(_("expires"), null=True)
    expiry_recorded_at = models.DateTimeField(null=True, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True)
    last_used_ip = models.GenericIPAddressField(null=True)
    last_used_agent = models.CharField(max_length=255, default="", blank=True)
    removed_at = models.DateTimeField(null=True, editable=False)

    objects = TokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("SCIM token")
        verbose_name_plural = _("SCIM tokens")
        ordering = ("created_at", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("scope", "slot"),
                condition=models.Q(removed_at=None),
                name="one_live_token_a_slot",
            ),
            models.CheckConstraint(condition=models.Q(slot__gte=1), name="slots_start_at_1"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def masked(self) -> str:
        """The prefix and the last four characters: all that is known of the secret."""
        return f"alta_scim_…{self.hint}"

    @property
    def audit_kind(self) -> str:
        return "token"

    @property
    def audit_id(self) -> str:
        return str(self.id)

    @property
    def audit_label(self) -> str:
        return self.name


class TokenSecret(models.Model):
    """The digest of one secret of a token: the current one, or an old one in its overlap."""

    digest = models.CharField(primary_key=True, max_length=64)
    key_id = models.CharField(max_length=16)
    token = models.ForeignKey(Token, models.CASCADE, related_name="secrets")
    hint = models.CharField(max_length=4)
    created_at = CreatedField()
    is_current = models.BooleanField(default=True)
    ends_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("token",),
                condition=models.Q(is_current=True),
                name="one_current_secret_a_token",
            ),
        )

    def __str__(self) -> str:
        return f"…{self.hint}"


@dataclass(frozen=True, slots=True)
class Recognised:
    """A secret that lets its IdP in now: what a request needs to know of it."""

    digest: str
    key_id: str
    token: Token
    provider: Provider
    is_use_stale: bool
    schema_version: int


# Written out: this runs on every SCIM request, and the ORM takes three times as long to say it.
_RECOGNISE = """
SELECT s.digest, s.key_id, t.id, t.hint,
       s.last_used_at IS NULL OR s.last_used_at < {a_minute_ago},
       p.id, p.kind, p.key, p.name, p.allow_rename,
       (SELECT version FROM provisioning_schemastate WHERE id = 1)
FROM provisioning_tokensecret s
JOIN provisioning_token t ON t.id = s.token_id
JOIN provisioning_provider p ON p.id = t.provider_id
WHERE s.digest IN ({digests})
  AND (s.ends_at IS NULL OR s.ends_at > {now})
  AND t.is_active AND t.removed_at IS NULL
  AND (t.expires_at IS NULL OR t.expires_at > {now})
"""
_CLOCKS = {
    "postgresql": {
        "now": "statement_timestamp()",
        "a_minute_ago": "statement_timestamp() - interval '60 seconds'",
    },
    "sqlite": {
        "now": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')",
        "a_minute_ago": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', '-60 seconds')",
    },
}


def recognise(digests: Iterable[str]) -> Recognised | None:
    """Return the usable token of a secret, given its digest under each key: one query."""
    found = list(digests)
    marks = ", ".join(["%s"] * len(found))
    sql = _RECOGNISE.format(digests=marks, **_CLOCKS[connection.vendor])
    with connection.cursor() as cursor:
        cursor.execute(sql, found)
        row = cursor.fetchone()
    if row is None:
        return None
    digest, key_id, token_id, hint, is_use_stale, *of_provider, version = row
    provider_id, kind, key, name, rename = of_provider
    provider = Provider(
        id=_uuid(provider_id), kind=kind, key=key, name=name, allow_rename=bool(rename)
    )
    token = Token(id=_uuid(token_id), hint=hint, provider=provider)
    return Recognised(digest, key_id, token, provider, bool(is_use_stale), version)


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


class ExpiryNotice(models.Model):
    """That a token's end is so many days away was told: once for each end."""

    token = models.ForeignKey(Token, models.CASCADE, related_name="notices")
    days = models.PositiveSmallIntegerField()
    expires_at = models.DateTimeField()
    created_at = CreatedField()
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("token", "expires_at", "days"), name="one_notice_each"),
        )

    def __str__(self) -> str:
        return f"{self.token_id} {self.days}"


class UsedForm(models.Model):
    """A form that was sent: its nonce may not be used again."""

    nonce = models.CharField(primary_key=True, max_length=64)
    used_at = CreatedField()

    def __str__(self) -> str:
        return self.nonce


class AuthenticationFailure(models.Model):
    """Refused SCIM requests of one address in one minute; a job turns it into one event."""

    address = KeyField(max_length=45)
    minute = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)
    user_agent = models.CharField(max_length=255, default="", blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("address", "minute"), name="one_count_an_address_and_minute"
            ),
        )

    def __str__(self) -> str:
        return f"{self.address} {self.minute:%H:%M} {self.count}"
