"""What the forms of tokens and IdPs may say. Templates draw them: labels and layout are theirs."""

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from provisioning.operations.tokens import DEFAULT_LIFETIME_DAYS

LIFETIMES: tuple[tuple[str, str | Promise], ...] = (
    ("30", _("30 days")),
    ("90", _("90 days")),
    ("180", _("180 days")),
    ("365", _("365 days")),
    ("none", _("It does not expire")),
)
OVERLAPS: tuple[tuple[str, str | Promise], ...] = (
    ("0", _("Now")),
    ("1", _("In 1 hour")),
    ("24", _("In 24 hours")),
)


LONG_OR_ODD = _("The name has at most 100 printable characters.")


class GenerateForm(forms.Form):
    """A new token: its name and how long it lives."""

    name = forms.CharField(
        max_length=100, required=False, error_messages={"max_length": LONG_OR_ODD}
    )
    lifetime = forms.ChoiceField(choices=LIFETIMES, initial=str(DEFAULT_LIFETIME_DAYS))

    def clean_name(self) -> str:
        """Refuse what cannot be seen: control characters, and marks that turn text around."""
        name: str = self.cleaned_data["name"]
        if not name.isprintable():
            raise forms.ValidationError(LONG_OR_ODD)
        return name

    @property
    def lifetime_days(self) -> int | None:
        """The chosen lifetime; None: it does not expire."""
        chosen = self.cleaned_data["lifetime"]
        return None if chosen == "none" else int(chosen)


class RenewForm(forms.Form):
    """A renewal: when the old secret stops."""

    overlap = forms.ChoiceField(choices=OVERLAPS, initial="0")

    @property
    def overlap_h(self) -> int:
        return int(self.cleaned_data["overlap"])


class ProviderForm(forms.Form):
    """The settings of an IdP."""

    allow_rename = forms.TypedChoiceField(
        choices=(("yes", "yes"), ("no", "no")), coerce=lambda text: text == "yes"
    )
