"""Exports of the trail: asking for one, watching it being made, taking the file."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.http.response import StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from audit.exports import making
from audit.exports.formats import FORMATS
from audit.forms import FilterForm
from audit.models import TrailExport
from audit.operations import exports as operations
from portal.access import can
from portal.actors import actor_of

READ = "audit.view_event"
SHOWN = 50


@require_safe
@can(READ)
@never_cache
def index(request: HttpRequest) -> HttpResponse:
    """Show the newest exports, or only their table for an htmx request."""
    found = list(TrailExport.objects.order_by("-asked_at", "-id")[:SHOWN])
    context = {
        "exports": [(export, FORMATS[export.format].label) for export in found],
        "is_unfinished": any(export.state in TrailExport.UNFINISHED for export in found),
    }
    wants_part = request.headers.get("HX-Request") == "true"
    template = "_table.html" if wants_part else "index.html"
    return render(request, f"portal/exports/{template}", context)


@require_POST
@can(READ)
@never_cache
def ask(request: HttpRequest) -> HttpResponse:
    """Have a file made of what the filters show."""
    format = request.POST.get("format", "")
    if format not in FORMATS:
        messages.error(request, _("Choose a format of the export."))
        return redirect("portal:exports")
    # Only what the page understood: its form, not the address, says what is exported.
    asked = FilterForm(QueryDict(request.POST.get("query", ""))).query()
    try:
        operations.ask(
            format,
            asked,
            language=get_language() or "es",
            time_zone=str(timezone.get_current_timezone()),
            actor=actor_of(request),
        )
    except operations.TooManyExports as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The export is being made; it can be downloaded here."))
    return redirect("portal:exports")


@require_safe
@can(READ)
@never_cache
def download(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """Stream the file; the audit trail tells who took it."""
    try:
        export = operations.note_download(export_id, actor=actor_of(request))
    except operations.NotReady as error:
        messages.error(request, str(error))
        return redirect("portal:exports")
    format = FORMATS[export.format]
    response = StreamingHttpResponse(making.file_of(export), content_type=format.content_type)
    name = f"{export.file_name}.{format.extension}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Content-Length"] = str(export.size)
    return cast("HttpResponse", response)


@require_safe
@can(READ)
@never_cache
def manifest(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """Hand out what the file is: its hash, and the seal that was the newest then."""
    export = get_object_or_404(TrailExport, pk=export_id)
    if export.state not in (TrailExport.State.DONE, TrailExport.State.EXPIRED):
        raise Http404
    response = JsonResponse(making.manifest(export))
    name = f"{export.file_name}.manifest.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
