"""«Pruebas de auditoría»: the table of events, and the page of one. Nothing here writes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from audit import chart, queries, standing
from audit.access import readers_only
from audit.evidence import seals
from audit.forms import FilterForm
from audit.htmx import asking_page
from audit.models import Event
from audit.patience import TooSlow
from audit.presentation import Shown

LAST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A filter that a link set, what it is called, and the query without it."""

    name: str
    label: str
    query: str


@require_safe
@readers_only
@never_cache
def events(request: HttpRequest) -> HttpResponse:
    """Show a page of the trail, or only its table for an htmx request."""
    form = FilterForm(request.GET)
    filters = form.filters()
    count = queries.count(filters)
    context: dict[str, Any] = {"form": form, "query": form.query(), "count": count}
    try:
        page = queries.page(filters, request.GET.get("cursor", ""), counted=count)
    except TooSlow:
        return _render(request, context | {"is_too_slow": True})
    context |= {
        "events": [Shown(event) for event in page.rows],
        "newer_url": f"?{form.query(cursor=page.newer)}" if page.newer else "",
        "older_url": f"?{form.query(cursor=page.older)}" if page.older else "",
        "narrowings": _narrowings(form, page.rows),
        "chart": chart.draw(filters) if page.rows else None,
    }
    return _render(request, context)


@require_safe
@readers_only
@never_cache
def event(request: HttpRequest, event_id: int) -> HttpResponse:
    """Show everything that one event holds."""
    if event_id > LAST_ID:
        raise Http404
    row = get_object_or_404(Event.objects.defer("search"), pk=event_id)
    return render(request, "audit/event.html", {"shown": Shown(row), "crumb": f"{event_id}"})


@require_safe
@readers_only
@never_cache
def seal(request: HttpRequest) -> HttpResponse:
    """Hand out the newest head and the result of the last verification, as JSON."""
    now = standing.now()
    checked = now.verification
    moments = {
        "checkedAt": checked.checked_at,
        "throughSealMadeAt": checked.through_at,
        "brokenSince": checked.broken_since,
    }
    return JsonResponse(
        {
            "head": seals.head(now.seal) if now.seal else None,
            "unsealedSince": _iso(now.unsealed_since),
            "verification": {
                "throughSeal": checked.through,
                "findings": checked.findings,
                **{name: _iso(moment) for name, moment in moments.items()},
            },
        }
    )


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _render(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The whole page, or only its results for an htmx request, with the address they have."""
    wants_part = request.headers.get("HX-Request") == "true"
    if not wants_part or request.headers.get("HX-History-Restore-Request") == "true":
        return render(request, "audit/index.html", context | {"standing": standing.now()})
    response = render(request, "audit/_events.html", context)
    query = context["query"]
    url = reverse("audit:events") + (f"?{query}" if query else "")
    if asking_page(request) != url:  # asked again: no second step back
        response["HX-Push-Url"] = url
    return response


def _narrowings(form: FilterForm, rows: list[Event]) -> list[Narrowing]:
    asked = form.asked()
    names = {
        "target": rows[0].target_label if rows else "",
        "actor": rows[0].actor_label if rows else "",
    }
    return [
        Narrowing(name, label or asked[name], form.query(**{name: ""}))
        for name, label in names.items()
        if name in asked
    ]
