"""Saved views of «Pruebas de auditoría»: administrators save, rename and delete them."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from audit.forms import FilterForm
from audit.models import SavedView
from audit.operations import saved_views
from audit.operations.saved_views import ViewRefused
from portal.access import can
from portal.actors import actor_of

LONGEST_QUERY = 4000
require_form = require_http_methods(["GET", "HEAD", "POST"])


@require_form
@can("audit.view_event", "audit.add_savedview")
@never_cache
def save(request: HttpRequest) -> HttpResponse:
    """Keep what the page shows under a name; a GET asks for the name."""
    sent = request.POST if request.method == "POST" else request.GET
    query = FilterForm(QueryDict(sent.get("query", "")[:LONGEST_QUERY])).query()
    if request.method != "POST":
        return _form(request, query=query)
    name = request.POST.get("name", "")
    try:
        saved_views.save(name, query, actor=actor_of(request))
    except ViewRefused as error:
        return _form(request, query=query, name=name, error=str(error))
    messages.success(request, _("The view was saved."))
    return HttpResponseRedirect(reverse("audit:events") + (f"?{query}" if query else ""))


@require_form
@can("audit.view_event", "audit.change_savedview")
@never_cache
def rename(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Show the name of a view, and give it another one."""
    view = get_object_or_404(SavedView, pk=view_id)
    if request.method != "POST":
        return _form(request, view=view, name=view.name)
    name = request.POST.get("name", "")
    try:
        saved_views.rename(view_id, name, actor=actor_of(request))
    except ViewRefused as error:
        return _form(request, view=view, name=name, error=str(error))
    messages.success(request, _("The view was renamed."))
    return redirect("audit:events")


@require_form
@can("audit.view_event", "audit.delete_savedview")
@never_cache
def delete(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Delete a view; a GET leads to its page."""
    view = get_object_or_404(SavedView, pk=view_id)
    if request.method != "POST":
        return redirect("portal:view-rename", view.pk)
    saved_views.delete(view_id, actor=actor_of(request))
    messages.success(request, _("The view was deleted."))
    return redirect("audit:events")


def _form(
    request: HttpRequest,
    *,
    view: SavedView | None = None,
    query: str = "",
    name: str = "",
    error: str = "",
) -> HttpResponse:
    context = {"view": view, "query": query, "name": name, "error": error}
    return render(request, "portal/saved_view.html", context, status=422 if error else 200)
