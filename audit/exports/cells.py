"""Cells of a CSV file that no spreadsheet takes for a formula (OWASP, «CSV injection»)."""

import re

BOM = "\ufeff"  # Excel takes a file without it for Latin-1
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# What a spreadsheet skips before it looks for a formula: spaces of any kind, and marks that are
# not seen, such as those of the direction of writing.
_IS_FORMULA = re.compile(
    r"[\s\x00-\x1f\x7f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*[=+\-@＝＋－＠]|[\t\r\n]"
).match


def safe(text: str) -> str:
    """Return a text as it stands, or behind an apostrophe where it would be a formula."""
    return f"'{text}" if _IS_FORMULA(text) else text
