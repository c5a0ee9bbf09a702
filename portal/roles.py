"""The two roles, as groups of permissions: who manages, and who only looks."""

from django.contrib.auth.models import Group, Permission
from django.db import connections
from django.utils.translation import gettext_lazy as _

ADMINISTRATOR = "administrator"
AUDITOR = "auditor"
ROLES = (ADMINISTRATOR, AUDITOR)
LABELS = {ADMINISTRATOR: _("System administrator"), AUDITOR: _("Read-only auditor")}

VIEWS = (
    ("audit", "view_event"),
    ("audit", "view_job"),
    ("provisioning", "view_token"),
    ("provisioning", "view_user"),
    ("provisioning", "view_group"),
    ("provisioning", "view_customattribute"),
    ("provisioning", "view_loggedrequest"),
)
CHANGES = (
    ("audit", "change_job"),
    ("audit", "add_savedview"),
    ("audit", "change_savedview"),
    ("audit", "delete_savedview"),
    ("provisioning", "add_token"),
    ("provisioning", "change_token"),
    ("provisioning", "delete_token"),
    ("provisioning", "change_user"),
    ("provisioning", "delete_user"),
    ("provisioning", "change_provider"),
    ("provisioning", "add_customattribute"),
    ("provisioning", "delete_customattribute"),
)


def ensure(using: str) -> None:
    """Make the groups of both roles hold exactly their permissions."""
    tables = connections[using].introspection.table_names()
    if not {"auth_group", "auth_permission"} <= set(tables):
        return
    wanted = {ADMINISTRATOR: VIEWS + CHANGES, AUDITOR: VIEWS}
    permissions = {
        (permission.content_type.app_label, permission.codename): permission
        for permission in Permission.objects.using(using).select_related("content_type")
    }
    for role, names in wanted.items():
        group, _made = Group.objects.using(using).get_or_create(name=role)
        group.permissions.set([permissions[name] for name in names if name in permissions])
