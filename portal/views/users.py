"""«Usuarios»: who was provisioned. What the IdP owns is shown and not edited."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from audit import keyset
from portal import attributes, queries
from portal.access import can
from portal.actors import actor_of
from portal.forms_directory import TransferForm, UserFilters
from portal.lists import listed
from provisioning.errors import ProvisioningError
from provisioning.models import CustomAttribute, User
from provisioning.operations import transfers, users

MOST_GROUPS_NAMED = 10
to_confirm = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@can("provisioning.view_user")
@never_cache
def index(request: HttpRequest) -> HttpResponse:
    """Show a page of users, or only its table for an htmx request."""
    form = UserFilters(request.GET)
    asked = form.asked()
    found = queries.users(asked.get("q", ""), asked.get("state", ""), asked.get("idp"))
    count = queries.counted(found)
    are_few = "q" in asked and not count.is_capped
    page = keyset.page(
        found, queries.BY_ID, request.GET.get("cursor", ""), queries.PAGE_SIZE, are_few=are_few
    )
    context = {"users": page.rows, "everywhere": form.query(state="all")}
    return listed(request, "portal/users", form, page, count, context)


@require_safe
@can("provisioning.view_user")
@never_cache
def detail(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Show everything that is known of a user."""
    user = get_object_or_404(User.objects.select_related("provider"), pk=user_id)
    groups = queries.groups_of(user)
    context = {
        "shown": user,
        "crumb": user.label,
        "attributes": attributes.held(user, CustomAttribute.objects.all()),
        "groups": groups[: queries.MOST_GROUPS_SHOWN],
        "has_more_groups": len(groups) > queries.MOST_GROUPS_SHOWN,
    }
    return render(request, "portal/users/user.html", context)


@to_confirm
@can("provisioning.change_user")
@never_cache
def transfer(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Say what happens and ask for the IdP, then give it a user of another's."""
    user = get_object_or_404(User.objects.visible().select_related("provider"), pk=user_id)
    form = TransferForm(request.POST if request.method == "POST" else None, user=user)
    if form.is_valid():
        provider = form.cleaned_data["idp"]
        try:
            transfers.transfer(user_id, provider, actor=actor_of(request))
        except ProvisioningError as error:
            messages.error(request, str(error))
        else:
            messages.success(
                request, _("The user now belongs to %(idp)s.") % {"idp": provider.label}
            )
        return redirect("portal:user", user_id)
    groups = queries.groups_of(user)
    context = {
        "shown": user,
        "crumb": user.label,
        "form": form,
        "groups": groups[:MOST_GROUPS_NAMED],
        "has_more_groups": len(groups) > MOST_GROUPS_NAMED,
    }
    status = 422 if form.is_bound else 200
    return render(request, "portal/users/transfer.html", context, status=status)


@to_confirm
@can("provisioning.change_user")
@never_cache
def restore(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Ask, then give a deleted user back to its IdP."""
    deleted = User.objects.select_related("provider").filter(deleted_at__isnull=False)
    user = get_object_or_404(deleted, pk=user_id)
    if request.method == "POST":
        try:
            users.restore(user_id, actor=actor_of(request))
        except ProvisioningError as error:
            messages.error(request, str(error))
        else:
            said = _("The user was restored, inactive until its IdP sends something else.")
            messages.success(request, said)
        return redirect("portal:user", user_id)
    return render(request, "portal/users/restore.html", {"shown": user, "crumb": user.label})


@to_confirm
@can("provisioning.delete_user")
@never_cache
def erase(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Ask for the user name, then delete a deleted user for good."""
    user = get_object_or_404(User, pk=user_id, deleted_at__isnull=False)
    context = {"shown": user, "crumb": user.label, "error": ""}
    if request.method == "POST":
        confirmation = request.POST.get("confirmation", "")
        try:
            users.erase(user_id, actor=actor_of(request), confirmation=confirmation)
        except ProvisioningError as error:
            context["error"] = str(error)
        else:
            messages.success(request, _("The user was erased for good."))
            return redirect(f"{reverse('portal:users')}?state=deleted")
    return render(request, "portal/users/erase.html", context)
