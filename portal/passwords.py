"""What a password must be, where the portal says it in words of its own."""

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.utils.translation import gettext as _


class CommonPassword(CommonPasswordValidator):
    """Django's rule; its Spanish text calls a password by another word than the page does."""

    def get_help_text(self) -> str:
        return _("It must not be one of the passwords that many people use.")
