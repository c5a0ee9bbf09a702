"""«Pruebas de auditoría»: the table of events, and the page of one. Nothing here writes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from audit import builder, chart, columns, grouping, keyset, queries, standing
from audit.access import readers_only
from audit.evidence import seals
from audit.forms import FilterForm
from audit.htmx import asking_page
from audit.models import Event, SavedView
from audit.patience import TooSlow
from audit.presentation import Shown
from audit.ready_views import READY

LAST_ID = 2**63 - 1
LOOK_COOKIE = "alta_trail"
YEAR_S = 366 * 86_400


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A filter that a link set, what it is called, and the query without it."""

    name: str
    label: str
    query: str


@dataclass(frozen=True, slots=True)
class Look:
    """How the page shows what it finds: one row an event or an entity, and which columns."""

    is_grouped: bool
    columns: tuple[str, ...]

    @property
    def text(self) -> str:
        """The look as its cookie keeps it."""
        return f"{'grouped' if self.is_grouped else 'expanded'}|{columns.text_of(self.columns)}"


@require_safe
@readers_only
@never_cache
def events(request: HttpRequest) -> HttpResponse:
    """Show a page of the trail, or only its table for an htmx request."""
    form = FilterForm(request.GET)
    look = _look(request, form)
    if builder.is_sent(request.GET):
        return _settled(request, builder.query(form, request.GET), look)
    filters = form.filters()
    count = queries.count(filters)
    oldest_first = form.asked().get("sort") == "oldest" and not look.is_grouped
    context: dict[str, Any] = {
        "form": form,
        "query": form.query(),
        "count": count,
        "look": look,
        "columns": columns.choices(look.columns),
        "oldest_first": oldest_first,
        "sort_query": form.query(sort="" if oldest_first else "oldest"),
        "looks": {name: form.query(view=name, keep="1") for name in ("expanded", "grouped")},
        "kept": builder.kept(form, "cols"),
        "columns_to_filter": builder.columns(form),
        "unindexed": filters.unindexed,
    }
    cursor = request.GET.get("cursor", "")
    try:
        if look.is_grouped:
            page = grouping.page(filters, cursor, counted=count)
            context["groups"] = [
                (
                    Shown(group.newest),
                    group,
                    form.query(view="expanded", target=group.newest.target_id),
                )
                for group in grouping.groups(filters, page.rows)
            ]
        else:
            page = queries.page(
                filters,
                cursor,
                counted=count,
                oldest_first=oldest_first,
                most_ms=queries.QUICK_MS if count else queries.SECOND_TRY_MS,
            )
    except TooSlow:
        return _render(request, context | {"is_too_slow": True})
    context |= {
        "events": [Shown(event) for event in page.rows],
        "newer_url": f"?{form.query(cursor=page.newer)}" if page.newer else "",
        "older_url": f"?{form.query(cursor=page.older)}" if page.older else "",
        "narrowings": _narrowings(form, page.rows),
    }
    if page.rows and not page.newer and not oldest_first and not look.is_grouped:
        newest = keyset.cursor_of(queries.ORDER, page.rows[0], older=False)
        context["news_query"] = form.query(after=newest)
    return _render(request, context)


@require_safe
@readers_only
@never_cache
def plot(request: HttpRequest) -> HttpResponse:
    """Show how many events there were when: after the table, so that it waits for nothing."""
    form = FilterForm(request.GET)
    context = {"chart": chart.draw(form.filters()), "query": form.query(), "form": form}
    is_part = request.headers.get("HX-Request") == "true"
    return render(request, f"audit/{'_chart' if is_part else 'chart'}.html", context)


@require_safe
@readers_only
@never_cache
def add_filter(request: HttpRequest) -> HttpResponse:
    """Ask for the operator and the value of a filter of one column."""
    form = FilterForm(request.GET)
    asked = builder.ask(form, request.GET.get("column", ""))
    if asked is None:
        raise Http404
    is_part = request.headers.get("HX-Request") == "true"
    template = f"audit/{'_builder' if is_part else 'builder'}.html"
    return render(request, template, {"asked": asked, "query": form.query()})


@require_safe
@readers_only
@never_cache
def news(request: HttpRequest) -> HttpResponse:
    """Tell how many events came since the newest one of the page."""
    form = FilterForm(request.GET)
    try:
        number = queries.news(form.filters(), request.GET.get("after", ""))
    except TooSlow:
        number = 0
    more = number > queries.MOST_NEWS
    return JsonResponse({"number": min(number, queries.MOST_NEWS), "more": more})


@require_safe
@readers_only
@never_cache
def event(request: HttpRequest, event_id: int) -> HttpResponse:
    """Show everything that one event holds."""
    if event_id > LAST_ID:
        raise Http404
    row = get_object_or_404(Event.objects.defer("search"), pk=event_id)
    before, after = queries.beside(row)
    context = {"shown": Shown(row), "crumb": f"{event_id}", "before": before, "after": after}
    return render(request, "audit/event.html", context)


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


def _look(request: HttpRequest, form: FilterForm) -> Look:
    """Return the look that the address asks for, else the one that the viewer keeps."""
    view, _bar, cols = request.COOKIES.get(LOOK_COOKIE, "").partition("|")
    asked = form.asked()
    return Look(
        asked.get("view", view) == "grouped",
        columns.chosen(",".join(request.GET.getlist("col")) or asked.get("cols", cols)),
    )


def _settled(request: HttpRequest, query: str, look: Look) -> HttpResponse:
    """Send to the address of what a form asked, and keep the look where that was asked too."""
    response = HttpResponseRedirect(reverse("audit:events") + (f"?{query}" if query else ""))
    if "keep" in request.GET:
        response.set_cookie(
            LOOK_COOKIE, look.text, max_age=YEAR_S, secure=settings.HTTPS, httponly=True,
            samesite="Lax",
        )  # fmt: skip
    return response


def _render(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The whole page, or only its results for an htmx request, with the address they have."""
    wants_part = request.headers.get("HX-Request") == "true"
    if not wants_part or request.headers.get("HX-History-Restore-Request") == "true":
        return render(request, "audit/index.html", context | _around())
    response = render(request, "audit/_events.html", context)
    query = context["query"]
    url = reverse("audit:events") + (f"?{query}" if query else "")
    if asking_page(request) != url:  # asked again: no second step back
        response["HX-Push-Url"] = url
    return response


def _around() -> dict[str, Any]:
    """Return what stands around the results."""
    return {"standing": standing.now(), "ready": READY, "saved": SavedView.objects.all()}


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
