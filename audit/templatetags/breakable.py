"""Long names in narrow cells."""

import re

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
AFTER = re.compile(r"(?<=[@.:/_-])(?=\w)")


@register.filter
def breakable(text: object) -> SafeString:
    """Let an address or a URN break after its marks, not within its words."""
    return mark_safe("<wbr>".join(escape(part) for part in AFTER.split(str(text))))  # noqa: S308
