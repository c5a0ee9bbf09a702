"""The signed-in account as the audit trail names it."""

from django.http import HttpRequest

from audit.actors import Actor, Origin


def actor_of(request: HttpRequest) -> Actor:
    """Return who acts through the portal, and from where."""
    account = request.user
    return Actor(
        "administrator", str(account.pk), account.get_username(), origin=origin_of(request)
    )


def origin_of(request: HttpRequest) -> Origin:
    """Return where a request came from; the middleware has written it down."""
    origin: Origin = request.origin  # type: ignore[attr-defined]
    return origin
