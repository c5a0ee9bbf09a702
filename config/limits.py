"""How large a request may be, by its address; the web server asks before Django does."""

import re

SCIM_BODY = 8 * 1024 * 1024
PAGE_BODY = 64 * 1024  # no form of the portal takes a file
# The name in a request's environment of the status that the web server wants it refused with.
REFUSED = "alta.refused"
_SCIM = re.compile(r"/*scim(?![\w-])")  # as config.urls mounts it


def is_scim(path: str) -> bool:
    """Return whether a path is of the SCIM service, however its slashes are doubled."""
    return _SCIM.match(path) is not None


def largest_body(path: str) -> int:
    """Return how many bytes a request to a path may bring."""
    return SCIM_BODY if is_scim(path) else PAGE_BODY
