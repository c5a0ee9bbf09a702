"""Errors as SCIM says them."""

from django.http import HttpResponse


def scim_error(status: int, detail: str) -> HttpResponse:
    return HttpResponse(status=status)
