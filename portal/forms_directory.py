"""The filters of users and groups as they stand in the address; the forms of the directory."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.validators import validate_slug
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from portal.attributes import TYPES
from provisioning.models import CustomAttribute, Provider, User
from provisioning.operations.attributes import NAME

SEARCH = {"type": "search", "autocomplete": "off", "class": "control", "data-search": ""}


class PointingForm(forms.Form):
    """A form that puts the focus on its first wrong field, described by hint and sentence."""

    def add_error(self, field: str | None, error: Any) -> None:
        """Add an error and point at its field, whose template shows `<id>_error`."""
        super().add_error(field, error)
        wrong = [name for name in self.fields if name in self.errors]
        for name in wrong:
            attrs = self.fields[name].widget.attrs
            described = [*str(attrs.get("aria-describedby", "")).split(), f"id_{name}_error"]
            attrs["aria-describedby"] = " ".join(dict.fromkeys(described))
            attrs["aria-invalid"] = "true"
            attrs["autofocus"] = name == wrong[0]


class SearchForm(forms.Form):
    """A search by words."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs=SEARCH),
    )

    def asked(self) -> dict[str, Any]:
        """Return what was asked and understood."""
        self.is_valid()
        return {name: value for name in self.fields if (value := self.cleaned_data.get(name))}

    def query(self, **changed: str) -> str:
        """Return the address's query with some of its values changed, or removed by ""."""
        values = {
            name: value.key if isinstance(value, Provider) else str(value)
            for name, value in self.asked().items()
        } | changed
        return urlencode({name: value for name, value in values.items() if value})


class ProviderField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """An IdP by its key."""

    def to_python(self, value: Any) -> Any:
        """Look for what can be a key only: PostgreSQL takes no NUL."""
        if value not in self.empty_values:
            validate_slug(value)
        return super().to_python(value)


class GroupFilters(SearchForm):
    """A search and an IdP."""

    idp = ProviderField(
        Provider.objects.all(),
        label=_("IdP"),
        required=False,
        to_field_name="key",
        empty_label=pgettext_lazy("identity providers", "All"),
        widget=forms.Select(attrs={"class": "control"}),
    )


class UserFilters(GroupFilters):
    """A search, a state and an IdP."""

    state = forms.ChoiceField(
        label=_("Status"),
        required=False,
        choices=(
            ("", _("Active and inactive")),
            ("active", pgettext_lazy("user", "Active")),
            ("inactive", pgettext_lazy("user", "Inactive")),
            ("deleted", pgettext_lazy("user", "Deleted")),
            ("all", _("All, deleted ones too")),
        ),
        widget=forms.Select(attrs={"class": "control"}),
    )
    field_order = ("q", "state", "idp")


class TransferForm(PointingForm):
    """The IdP that a user is given to: any but its own."""

    idp = forms.ModelChoiceField(
        Provider.objects.none(),
        label=_("New identity provider (IdP)"),
        to_field_name="key",
        empty_label=_("Select identity provider (IdP)"),
        error_messages={
            "required": _("Select the identity provider."),
            "invalid_choice": _("Select one of the identity providers in the list."),
        },
        widget=forms.Select(attrs={"class": "control", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, user: User, **more: Any) -> None:
        super().__init__(*args, **more)
        choice = self.fields["idp"]
        assert isinstance(choice, forms.ModelChoiceField)  # noqa: S101 — it is made above
        choice.queryset = Provider.objects.exclude(pk=user.provider_id)


class AttributeForm(PointingForm):
    """A new custom attribute."""

    name = forms.CharField(
        label=pgettext_lazy("attribute", "Name"),
        max_length=64,
        widget=forms.TextInput(
            attrs={
                "class": "control",
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
                "data-urn-name": "",
                "aria-describedby": "id_name_helptext",
            }
        ),
    )
    type = forms.ChoiceField(
        label=_("Type"),
        choices=[(key, TYPES[key].label) for key in CustomAttribute.Type.values],
        initial=CustomAttribute.Type.STRING,
        widget=forms.Select(attrs={"class": "control"}),
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not NAME.fullmatch(name):
            raise forms.ValidationError(
                _("Begin with a letter A–Z; then letters, digits, hyphens and underscores only.")
            )
        return name
