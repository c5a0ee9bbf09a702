"""What the tests of the token pages share: addresses, forms, and a reader's eye."""

import re
from datetime import timedelta

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import Event
from audit.types import EventType
from provisioning import secrets
from provisioning.models import Token

TOKENS = reverse("portal:tokens")
GENERATE = reverse("portal:token-generate")
SECRET = re.compile(rf"{secrets.PREFIX}[0-9A-Za-z]{{49}}")
ENTRA, OKTA = f"{TOKENS}?idp=entra-id", f"{TOKENS}?idp=okta"


def url(action: str, token: Token) -> str:
    return reverse(f"portal:token-{action}", args=[token.pk])


def nonce(page: HttpResponse, action: str) -> str:
    """Return the nonce of the form on a page that posts to an address."""
    form = re.search(
        rf'<form[^>]*method="post" action="{re.escape(action)}.*?</form>', page.text, re.DOTALL
    )
    assert form, f"no form for {action}"
    found = re.search(r'name="form" value="([^"]+)"', form[0])
    assert found
    return found[1]


def generate(client: Client, idp: str = "entra-id", **data: str) -> HttpResponse:
    page = client.get(f"{GENERATE}?idp={idp}")
    sent = {"name": "Producción", "lifetime": "365", "form": nonce(page, GENERATE)} | data
    return client.post(f"{GENERATE}?idp={idp}", sent)


def renew(client: Client, token: Token, overlap: str = "0") -> HttpResponse:
    page = client.get(url("renew", token))
    data = {"overlap": overlap, "form": nonce(page, url("renew", token))}
    return client.post(url("renew", token), data)


def used(token: Token, ago: timedelta = timedelta(minutes=4)) -> None:
    Token.objects.filter(pk=token.pk).update(
        last_used_at=timezone.now() - ago, last_used_ip="203.0.113.9", last_used_agent="Azure/1"
    )


def events(type: EventType) -> int:
    return Event.objects.filter(type=type.key).count()


def text_of(html: str) -> str:
    """Return what a page says, without its markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())
