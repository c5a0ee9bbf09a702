"""What a request asked that was not kept: told to the log, by name and never by value."""

import structlog

from provisioning.api.base import ScimView
from provisioning.models import Group, User

log = structlog.get_logger("alta.provisioning")


def remark(
    view: ScimView, row: User | Group, ignored: tuple[str, ...], remarks: tuple[str, ...] = ()
) -> None:
    """Log the attributes that were ignored, so that the administrator can unmap them."""
    if ignored or remarks:
        log.info(
            "not kept",
            provider=view.caller.provider.key,
            request_id=view.caller.actor.origin.request_id,
            resource=f"{type(row).__name__}/{row.pk}",
            ignored=list(ignored),
            remarks=list(remarks),
        )
