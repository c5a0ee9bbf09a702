"""What the pages of lists share: filters in the address, a page by key, its table for htmx."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from audit import keyset
from audit.htmx import asking_page
from portal.forms_directory import SearchForm
from portal.queries import Counted


def listed(
    request: HttpRequest,
    templates: str,
    form: SearchForm,
    page: keyset.Page[Any],
    count: Counted,
    context: dict[str, Any],
) -> HttpResponse:
    """Show a list: `<templates>/index.html`, or only its `_results.html` for an htmx request."""
    query = form.query()
    context |= {
        "form": form,
        "count": count,
        "query": query,
        "newer_url": f"?{form.query(cursor=page.newer)}" if page.newer else "",
        "older_url": f"?{form.query(cursor=page.older)}" if page.older else "",
    }
    wants_part = request.headers.get("HX-Request") == "true"
    if not wants_part or request.headers.get("HX-History-Restore-Request") == "true":
        return render(request, f"{templates}/index.html", context)
    response = render(request, f"{templates}/_results.html", context)
    url = request.path + (f"?{query}" if query else "")
    if asking_page(request) != url:  # asked again: no second step back
        response["HX-Push-Url"] = url
    return response
