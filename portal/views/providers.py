"""«Ajustes de este IdP»: a section of its page of tokens."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from portal.access import can
from portal.actors import actor_of
from portal.forms import ProviderForm
from provisioning.errors import NotFound
from provisioning.operations import providers


@require_POST
@can("provisioning.change_provider")
@never_cache
def configure(request: HttpRequest, provider_id: UUID) -> HttpResponse:
    """Let an IdP rename its users, or no longer. The form says which: sent twice, it is once."""
    form = ProviderForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("The value is not valid."))
        return redirect("portal:tokens")
    allow_rename = form.cleaned_data["allow_rename"]
    try:
        provider = providers.configure(
            provider_id, allow_rename=allow_rename, actor=actor_of(request)
        )
    except NotFound:
        raise Http404 from None
    said = (
        _("%(idp)s may now rename its users.")
        if allow_rename
        else _("%(idp)s may no longer rename its users.")
    )
    messages.success(request, said % {"idp": provider.label})
    return redirect(f"{reverse('portal:tokens')}?idp={provider.key}")
