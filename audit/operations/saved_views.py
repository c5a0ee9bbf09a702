"""Views of the trail under a name: save, rename, delete. Whoever reads the trail sees them."""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit import journal
from audit.actors import Actor
from audit.models import SavedView
from audit.types import EventType

MOST_VIEWS = 50


class ViewRefused(Exception):
    """A view cannot be had under this name; the text says why."""

    def __init__(self, message: str | Promise) -> None:
        super().__init__(str(message))


@transaction.atomic
def save(name: str, query: str, *, actor: Actor) -> SavedView:
    """Keep a query of the page under a name. Raises ViewRefused."""
    if SavedView.objects.count() >= MOST_VIEWS:
        raise ViewRefused(_("There are 50 views already: delete one first."))
    view = SavedView(name=_usable(name), query=query, owner_id=actor.id, owner_label=actor.label)
    _write(view)
    journal.record(EventType.VIEW_SAVED, actor=actor, target=view, query=query)
    return view


@transaction.atomic
def rename(view_id: UUID, name: str, *, actor: Actor) -> SavedView:
    """Give a view another name; the same one changes nothing. Raises ViewRefused, DoesNotExist."""
    view = SavedView.objects.select_for_update().get(pk=view_id)
    old, view.name = view.name, _usable(name)
    if view.name == old:
        return view
    _write(view)
    journal.record(
        EventType.VIEW_RENAMED, actor=actor, target=view, changes={"name": [old, view.name]}
    )
    return view


@transaction.atomic
def delete(view_id: UUID, *, actor: Actor) -> None:
    """Delete a view; no event of the trail is touched. Raises DoesNotExist."""
    view = SavedView.objects.select_for_update().get(pk=view_id)
    journal.record(EventType.VIEW_DELETED, actor=actor, target=view, query=view.query)
    view.delete()


def _usable(name: str) -> str:
    name = " ".join(name.replace("\x00", " ").split())
    if not 1 <= len(name) <= 80:
        raise ViewRefused(_("The name has from 1 to 80 characters."))
    return name


def _write(view: SavedView) -> None:
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError:
        raise ViewRefused(_("Another view has this name.")) from None
