"""What htmx tells of the page that asks for a part."""

from urllib.parse import urlsplit

from django.http import HttpRequest


def asking_page(request: HttpRequest) -> str:
    """Return the path and query of the page that asks, or nothing when it names none."""
    try:
        parts = urlsplit(request.headers.get("HX-Current-URL", ""))
    except ValueError:
        return ""
    return f"{parts.path}?{parts.query}".rstrip("?")
