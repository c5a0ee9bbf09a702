"""«Aprovisionamiento de usuarios»: the tokens of an IdP, and what can be done with them."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.validators import slug_re
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import nonces, public_url
from portal.access import can
from portal.actors import actor_of
from portal.forms import GenerateForm, RenewForm
from portal.guides import guide_for
from portal.token_table import Row, Table
from provisioning.errors import (
    AlreadySent,
    NotFound,
    ProvisioningError,
    TokenLimitReached,
    WrongConfirmation,
)
from provisioning.models import Provider, Token
from provisioning.operations import tokens

GENERATE, RENEW = "generate", "renew"
require_form = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@can("provisioning.view_token")
@never_cache
def index(request: HttpRequest) -> HttpResponse:
    """Show the IdP list, and the tokens of the chosen one or of all."""
    provider = _provider(request) if request.GET.get("idp") else None
    return render(request, "portal/tokens/index.html", _page(request, provider))


@require_form
@can("provisioning.add_token")
@never_cache
def generate(request: HttpRequest) -> HttpResponse:
    """Ask for confirmation; once given, show the new token in this response only.

    No redirect after the POST, so that nothing stores the secret; the one-time nonce makes a
    repeated POST harmless.
    """
    provider = _provider(request)
    if request.method != "POST":
        return _confirm_generate(request, provider)
    form = GenerateForm(request.POST)
    try:
        nonce = nonces.read(request, GENERATE)
        if not form.is_valid():
            return _confirm_generate(request, provider, form, status=422)
        issued = tokens.generate(
            provider,
            actor=actor_of(request),
            name=form.cleaned_data["name"],
            lifetime_days=form.lifetime_days,
            form=nonce,
        )
    except (nonces.Stale, AlreadySent) as error:
        return _done_before(request, provider, error)
    except TokenLimitReached as error:
        messages.error(request, str(error))
        return _to_table(provider)
    except ProvisioningError as error:
        form.add_error("name", str(error))
        return _confirm_generate(request, provider, form, status=422)
    return _issued(request, issued, _("Token generated"))


@require_form
@can("provisioning.change_token")
@never_cache
def renew(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """Ask when the old secret stops; then show the new one in this response only."""
    token = _token(token_id)
    if request.method != "POST":
        return _confirm(request, token, "renew", _("Renew the token"))
    form = RenewForm(request.POST)
    try:
        nonce = nonces.read(request, f"{RENEW}.{token_id}")
        if not form.is_valid():
            return _confirm(request, token, "renew", _("Renew the token"), status=422)
        issued = tokens.renew(
            token_id, actor=actor_of(request), overlap_h=form.overlap_h, form=nonce
        )
    except (nonces.Stale, AlreadySent) as error:
        return _done_before(request, token.provider, error)
    except NotFound:
        raise Http404 from None
    return _issued(request, issued, _("Token renewed"), form.overlap_h)


@require_POST
@can("provisioning.change_token")
@never_cache
def activate(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """Let a token in again, and show the table."""
    token = _token(token_id)
    try:
        tokens.activate(token_id, actor=actor_of(request))
        messages.success(request, _("The token “%(name)s” is active.") % {"name": token.name})
    except NotFound:
        raise Http404 from None
    except ProvisioningError as error:
        messages.error(request, str(error))
    return _panel(request, token.provider)


@require_form
@can("provisioning.change_token")
@never_cache
def deactivate(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """Refuse a token from its next request on; a GET says first what stops."""
    token = _token(token_id)
    if request.method != "POST":
        return _confirm(request, token, "deactivate", _("Set the token to inactive"))
    try:
        tokens.deactivate(token_id, actor=actor_of(request))
        messages.success(request, _("The token “%(name)s” is inactive.") % {"name": token.name})
    except NotFound:
        raise Http404 from None
    return _panel(request, token.provider)


@require_form
@can("provisioning.delete_token")
@never_cache
def remove(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """Remove a token for good; a GET says first what stops."""
    token = _token(token_id)
    title = _("Remove the token")
    if request.method != "POST":
        return _confirm(request, token, "remove", title)
    try:
        tokens.remove(
            token_id, actor=actor_of(request), confirmation=request.POST.get("confirmation")
        )
    except WrongConfirmation as error:
        return _confirm(request, token, "remove", title, error=str(error), status=422)
    except NotFound:
        raise Http404 from None
    messages.success(request, _("The token “%(name)s” was removed.") % {"name": token.name})
    return _to_table(token.provider)


def _heading(provider: Provider | None) -> str:
    if provider is None:
        return _("User provisioning")
    return _("User provisioning for %(idp)s") % {"idp": provider.label}


def _provider(request: HttpRequest) -> Provider:
    key = request.GET.get("idp", "")
    if not slug_re.fullmatch(key):  # PostgreSQL would not even look for a NUL
        raise Http404
    return get_object_or_404(Provider, key=key)


def _token(token_id: UUID) -> Token:
    return get_object_or_404(Token.objects.live().select_related("provider"), pk=token_id)


def _page(request: HttpRequest, provider: Provider | None) -> dict[str, Any]:
    """Return the context of the page and of its panel."""
    table = Table(provider)
    return {
        "heading": _heading(provider),
        "providers": Provider.objects.all(),
        "provider": provider,
        "table": table,
        "guide": guide_for(provider) if provider else None,
        "scim_url": public_url.scim_url(),
        "url_warnings": public_url.warnings(),
        "form": GenerateForm(initial={"name": table.next_name}),
        "nonce": nonces.new(request, GENERATE),
        "rows": [(row, nonces.new(request, f"{RENEW}.{row.token.pk}")) for row in table.rows],
        "overlaps": RenewForm().fields["overlap"],
    }


def _panel(request: HttpRequest, provider: Provider) -> HttpResponse:
    """Answer a change of state: the table's panel for htmx, else the page again."""
    if request.headers.get("HX-Request") != "true":
        return _to_table(provider)
    shown = QueryDict(request.headers.get("HX-Current-URL", "").partition("?")[2]).get("idp")
    context = _page(request, provider if shown else None)
    return render(request, "portal/tokens/_panel.html", context | {"announce": True})


def _to_table(provider: Provider) -> HttpResponse:
    return redirect(_table_url(provider))


def _table_url(provider: Provider) -> str:
    return f"{reverse('portal:tokens')}?idp={provider.key}"


def _done_before(request: HttpRequest, provider: Provider, error: Exception) -> HttpResponse:
    """Lead a repeated form to the table: what it asked for is already done."""
    if isinstance(error, AlreadySent):
        messages.info(request, _("That form had already been sent: nothing was done again."))
    else:
        messages.error(request, _("That form was too old: nothing was done. Please try again."))
    return _to_table(provider)


def _confirm_generate(
    request: HttpRequest, provider: Provider, form: GenerateForm | None = None, *, status: int = 200
) -> HttpResponse:
    table = Table(provider)
    context = {
        "provider": provider,
        "table": table,
        "heading": _heading(provider),
        "form": form or GenerateForm(initial={"name": table.next_name}),
        "nonce": nonces.new(request, GENERATE),
        "back": _table_url(provider),
        "crumb": _("Generate a token"),
    }
    return render(request, "portal/tokens/generate.html", context, status=status)


def _confirm(
    request: HttpRequest,
    token: Token,
    action: str,
    title: str,
    *,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    row = next((r for r in Table(token.provider).rows if r.token.pk == token.pk), None)
    if row is None:  # removed meanwhile
        raise Http404
    context = {
        "heading": _heading(token.provider),
        "row": row,
        "action": action,
        "provider": token.provider,
        "error": error,
        "nonce": nonces.new(request, f"{RENEW}.{token.pk}"),
        "overlaps": RenewForm().fields["overlap"],
        "back": _table_url(token.provider),
        "crumb": title,
        "return_to": request.path,
    }
    return render(request, "portal/tokens/confirm.html", context, status=status)


def _issued(
    request: HttpRequest, issued: tokens.IssuedToken, title: str, overlap_h: int | None = None
) -> HttpResponse:
    """Show a secret. Everything that leads away from this page leads to the table."""
    provider = issued.token.provider
    context = {
        "issued": issued,
        "row": Row(issued.token, []),
        "provider": provider,
        "guide": guide_for(provider),
        "scim_url": public_url.scim_url(),
        "url_warnings": public_url.warnings(),
        "overlap_h": overlap_h,
        "back": _table_url(provider),
        "return_to": _table_url(provider),
        "crumb": title,
    }
    return render(request, "portal/tokens/issued.html", context)
