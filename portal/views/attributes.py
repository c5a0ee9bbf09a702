"""«Atributos»: core, enterprise and custom attributes in one table; custom ones come and go."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from portal.access import can
from portal.actors import actor_of
from portal.attributes import every
from portal.forms_directory import AttributeForm
from provisioning.errors import ProvisioningError
from provisioning.models import CustomAttribute
from provisioning.models.attributes import CUSTOM_SCHEMA
from provisioning.operations import attributes

require_form = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@can("provisioning.view_customattribute")
@never_cache
def index(request: HttpRequest) -> HttpResponse:
    """Show all attributes, and the form of a new one."""
    return _page(request, AttributeForm())


@require_form
@can("provisioning.add_customattribute")
@never_cache
def add(request: HttpRequest) -> HttpResponse:
    """Define a custom attribute; what is wrong is said beside the field.

    A GET comes from a reload or a switch of such an answer, and leads to the list.
    """
    if request.method != "POST":
        return redirect("portal:attributes")
    form = AttributeForm(request.POST)
    if form.is_valid():
        name = form.cleaned_data["name"]
        try:
            attributes.add(name, form.cleaned_data["type"], actor=actor_of(request))
        except ProvisioningError as error:
            form.add_error("name", str(error))
        else:
            messages.success(
                request, _("The custom attribute %(name)s was added.") % {"name": name}
            )
            return redirect("portal:attributes")
    return _page(request, form, status=422)


@require_form
@can("provisioning.delete_customattribute")
@never_cache
def remove(request: HttpRequest, attribute_id: UUID) -> HttpResponse:
    """Say how many users carry a value, then remove a custom attribute with all of them."""
    attribute = get_object_or_404(CustomAttribute, pk=attribute_id)
    context = {"attribute": attribute, "crumb": attribute.name, "error": ""}
    if request.method == "POST":
        confirmation = request.POST.get("confirmation", "")
        try:
            attributes.remove(attribute_id, actor=actor_of(request), confirmation=confirmation)
        except ProvisioningError as error:
            context["error"] = str(error)
        else:
            messages.success(
                request,
                _("The custom attribute %(name)s was removed.") % {"name": attribute.name},
            )
            return redirect("portal:attributes")
    context["carriers"] = attributes.carriers(attribute)
    return render(request, "portal/attributes/remove.html", context)


def _page(request: HttpRequest, form: AttributeForm, status: int = 200) -> HttpResponse:
    context = {
        "attributes": every(CustomAttribute.objects.all()),
        "form": form,
        "schema": CUSTOM_SCHEMA,
    }
    return render(request, "portal/attributes/index.html", context, status=status)
