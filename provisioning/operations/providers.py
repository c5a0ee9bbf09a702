"""Identity providers: their settings."""

from uuid import UUID

from django.db import transaction

from audit import journal
from audit.actors import Actor
from audit.types import EventType
from provisioning.errors import NotFound
from provisioning.models import Provider


@transaction.atomic
def configure(provider_id: UUID, *, allow_rename: bool, actor: Actor) -> Provider:
    """Set whether an IdP may change user names. Records nothing when nothing changes.

    In force from the IdP's next request on. Raises NotFound.
    """
    try:
        # NO KEY: users and groups being inserted beside it need not wait.
        provider = Provider.objects.select_for_update(no_key=True).get(pk=provider_id)
    except Provider.DoesNotExist:
        raise NotFound from None
    if provider.allow_rename == allow_rename:
        return provider
    provider.allow_rename = allow_rename
    provider.save(update_fields=["allow_rename"])
    journal.record(
        EventType.PROVIDER_UPDATED,
        actor=actor,
        target=provider,
        provider=provider.for_audit(),
        changes={"allow_rename": [not allow_rename, allow_rename]},
    )
    return provider
