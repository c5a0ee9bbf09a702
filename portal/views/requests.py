"""«Registro de aprovisionamiento»: what the IdPs asked, what they were answered, and why."""

from collections.abc import Iterable
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from audit.patience import TooSlow
from audit.presentation import Shown as ShownEvent
from portal.access import can
from portal.actors import actor_of
from portal.forms_requests import RequestFilters
from portal.requests import shown
from provisioning.log import export, queries
from provisioning.models import LoggedRequest
from provisioning.operations import requests as operations

TEMPLATES = "portal/requests"
READ = "provisioning.view_loggedrequest"
ALL_ZEROS = UUID(int=0)
FORMATS = {
    "csv": (export.as_csv, "text/csv; charset=utf-8"),
    "jsonl": (export.as_json_lines, "application/jsonl"),
}


@require_safe
@can(READ)
@never_cache
def index(request: HttpRequest) -> HttpResponse:
    """Show a page of requests, or only its table for an htmx request."""
    form = RequestFilters(request.GET)
    filters = form.filters()
    count = queries.count(filters)
    query = form.query()
    context: dict[str, Any] = {"form": form, "query": query, "count": count}
    try:
        page = queries.page(filters, request.GET.get("cursor", ""), counted=count)
    except TooSlow:
        return _answer(request, context | {"is_too_slow": True})
    context |= {
        "requests": shown(page.rows),
        "newer_url": f"?{form.query(cursor=page.newer)}" if page.newer else "",
        "older_url": f"?{form.query(cursor=page.older)}" if page.older else "",
        "newest": page.rows[0].pk if page.rows else ALL_ZEROS,
        "narrowings": _narrowings(form, page.rows),
        "lost": queries.lost(),
        "days": settings.PROVISIONING_LOG_DAYS,
        "most_exported": export.MOST,
        "is_off": settings.PROVISIONING_LOG == "off",
    }
    return _answer(request, context)


@require_safe
@can(READ)
@never_cache
def detail(request: HttpRequest, logged_id: UUID) -> HttpResponse:
    """Show everything that is known of one request."""
    row = get_object_or_404(LoggedRequest, pk=logged_id)
    told = shown([row])[0]
    events = queries.events_of(row) if request.user.has_perm("audit.view_event") else []
    context = {
        "shown": told,
        "crumb": f"{row.method} {row.status}",
        "events": [ShownEvent(event) for event in events],
    }
    return render(request, f"{TEMPLATES}/request.html", context)


@require_safe
@can(READ)
@never_cache
def news(request: HttpRequest) -> HttpResponse:
    """Say how many requests came after the newest one that is shown."""
    form = RequestFilters(request.GET)
    try:
        since = UUID(request.GET.get("after", ""))
        number = queries.news(form.filters(), since)
    except (ValueError, TooSlow):
        number = 0
    most = queries.MOST_NEWS
    return JsonResponse({"number": min(number, most), "more": number > most})


@require_safe
@can(READ)
@never_cache
def download(request: HttpRequest, format: str) -> HttpResponse:
    """Stream what the filters show as a file; the audit trail tells who took it."""
    form = RequestFilters(request.GET)
    asked = {name: str(value) for name, value in form.asked().items()}
    operations.note_export(format, asked, actor=actor_of(request))
    write, kind = FORMATS[format]
    rows: Iterable[LoggedRequest] = queries.all_of(form.filters(), export.MOST)
    response = StreamingHttpResponse(write(rows), content_type=kind)
    name = f"alta-{timezone.now():%Y%m%d-%H%M%S}.{format}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return cast("HttpResponse", response)


def _answer(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The whole page, or only its results for an htmx request, with the address they have."""
    wants_part = request.headers.get("HX-Request") == "true"
    if not wants_part or request.headers.get("HX-History-Restore-Request") == "true":
        return render(request, f"{TEMPLATES}/index.html", context)
    response = render(request, f"{TEMPLATES}/_results.html", context)
    query = context["query"]
    url = request.path + (f"?{query}" if query else "")
    current = urlsplit(request.headers.get("HX-Current-URL", ""))
    if f"{current.path}?{current.query}".rstrip("?") != url:  # asked again: no second step back
        response["HX-Push-Url"] = url
    return response


def _narrowings(form: RequestFilters, rows: list[LoggedRequest]) -> list[dict[str, str]]:
    """Return the filters that a link set: what they are called, and the query without them."""
    asked = form.asked()
    found = []
    if "resource" in asked:
        name = next((row.name for row in rows if row.name), "") or str(asked["resource"])
        found.append({"name": "resource", "label": name, "query": form.query(resource="")})
    if "bulk" in asked:
        label = str(asked["bulk"])[-12:]
        found.append({"name": "bulk", "label": label, "query": form.query(bulk="")})
    return found
