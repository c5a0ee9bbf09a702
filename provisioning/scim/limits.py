"""How much of anything the SCIM engine accepts; past it a request is refused with a sentence."""

BODY_BYTES = 8 * 1024 * 1024
NAME_CHARACTERS = 256  # userName of a user, displayName of a group
TEXT_CHARACTERS = 1_024  # any other string
EMAILS = 50
FILTER_BYTES = 8_192
FILTER_TERMS = 200
FILTER_DEPTH = 50
PATH_CHARACTERS = 8_192
PATCH_OPERATIONS = 1_000
PATCH_FILTER_TERMS = 1_000  # of all filters of a request together: each meets every element
PATCH_ELEMENTS = 1_000  # e-mails in all operations together: they are compared under a lock
BULK_OPERATIONS = 1_000
PAGE_DEFAULT = 100
PAGE_MAXIMUM = 500
CURSOR_TIMEOUT_S = 3_600

# Names of ignored attributes go to the provisioning log: one body must not fill it.
IGNORED_NAMES = 100
IGNORED_NAME_CHARACTERS = 256

# Only short texts are worth remembering between requests: the caches stay small.
CACHED_TEXT_CHARACTERS = 512
CACHE_ENTRIES = 512
