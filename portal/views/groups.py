"""«Grupos»: which groups were provisioned, and who is in them."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from audit import keyset
from portal import queries
from portal.access import can
from portal.forms_directory import GroupFilters, SearchForm
from portal.lists import listed
from provisioning.models import Group


@require_safe
@can("provisioning.view_group")
@never_cache
def index(request: HttpRequest) -> HttpResponse:
    """Show a page of groups, or only its table for an htmx request."""
    form = GroupFilters(request.GET)
    asked = form.asked()
    found = queries.groups(asked.get("q", ""), asked.get("idp"))
    count = queries.counted(found)
    are_few = "q" in asked and not count.is_capped
    page = keyset.page(
        found, queries.BY_ID, request.GET.get("cursor", ""), queries.PAGE_SIZE, are_few=are_few
    )
    sizes = queries.sizes(page.rows)
    context = {"groups": [(group, sizes.get(group.pk, 0)) for group in page.rows]}
    return listed(request, "portal/groups", form, page, count, context)


@require_safe
@can("provisioning.view_group")
@never_cache
def detail(request: HttpRequest, group_id: UUID) -> HttpResponse:
    """Show a group with a page of its members, or only these for an htmx request."""
    group = get_object_or_404(Group.objects.select_related("provider"), pk=group_id)
    form = SearchForm(request.GET)
    text = form.asked().get("q", "")
    found = queries.members(group, text)
    count = queries.counted(found)
    page = keyset.page(
        found,
        queries.BY_USER,
        request.GET.get("cursor", ""),
        queries.PAGE_SIZE,
        are_few=bool(text) and not count.is_capped,
    )
    context = {"shown": group, "crumb": group.display_name, "members": page.rows}
    return listed(request, "portal/groups/group", form, page, count, context)
