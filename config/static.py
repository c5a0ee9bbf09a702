"""Static files: hashed names, so that browsers may keep them for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):
    """Hash names and rewrite the imports between our own JavaScript modules.

    Only ours: a comment in a vendored file would otherwise be taken for an import.
    """

    support_js_module_import_aggregation = False
