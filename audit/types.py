"""The registry of event types: what can happen, its category, and the auditor's words for it."""

from enum import Enum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Category(Enum):
    """The kind of thing an event is about."""

    TOKEN = "token", _("SCIM token")
    USER = "user", _("User")
    GROUP = "group", _("Group")
    ATTRIBUTE = "attribute", _("Attribute")
    SETTING = "setting", _("Setting")
    ACCESS = "access", _("Access")
    TRAIL = "trail", _("Audit trail")
    ALERT = "alert", _("Alert")
    JOB = "job", _("Job")

    def __init__(self, key: str, label: Promise) -> None:
        self.key = key
        self.label = label


class EventType(Enum):
    """What happened: `subject.past_participle`, its category, its name, its explanation.

    The names of the five token events are letter for letter those of the product's manual.
    """

    TOKEN_CREATED = (
        "token.created",
        Category.TOKEN,
        _("SCIM token created"),
        _("A SCIM token was created"),
    )
    TOKEN_ACTIVATED = (
        "token.activated",
        Category.TOKEN,
        _("SCIM token activated"),
        _("A SCIM token was activated"),
    )
    TOKEN_DEACTIVATED = (
        "token.deactivated",
        Category.TOKEN,
        _("SCIM token deactivated"),
        _("A SCIM token was deactivated"),
    )
    TOKEN_RENEWED = (
        "token.renewed",
        Category.TOKEN,
        _("SCIM token renewed"),
        _("A SCIM token was renewed"),
    )
    TOKEN_REMOVED = (
        "token.removed",
        Category.TOKEN,
        _("SCIM token deleted"),
        _("A SCIM token was deleted"),
    )
    TOKEN_EXPIRED = (
        "token.expired",
        Category.TOKEN,
        _("SCIM token expired"),
        _("A SCIM token expired"),
    )
    TOKENS_REKEYED = (
        "tokens.rekeyed",
        Category.SETTING,
        _("Token limit applied"),
        _("The live tokens were renumbered under a changed limit"),
    )
    USER_CREATED = (
        "user.created",
        Category.USER,
        _("User created"),
        _("A user was provisioned"),
    )
    USER_UPDATED = (
        "user.updated",
        Category.USER,
        _("User updated"),
        _("A user's attributes were changed"),
    )
    USER_DEACTIVATED = (
        "user.deactivated",
        Category.USER,
        _("User deactivated"),
        _("A user was set inactive"),
    )
    USER_ACTIVATED = (
        "user.activated",
        Category.USER,
        _("User activated"),
        _("A user was set active"),
    )
    USER_DELETED = (
        "user.deleted",
        Category.USER,
        _("User deleted"),
        _("A user was deleted"),
    )
    USER_RESTORED = (
        "user.restored",
        Category.USER,
        _("User restored"),
        _("A deleted user came back"),
    )
    USER_TRANSFERRED = (
        "user.transferred",
        Category.USER,
        _("User transferred"),
        _("A user was transferred to another identity provider"),
    )
    USER_ERASED = (
        "user.erased",
        Category.USER,
        _("User erased"),
        _("A deleted user was erased for good"),
    )
    GROUP_CREATED = (
        "group.created",
        Category.GROUP,
        _("Group created"),
        _("A group was provisioned"),
    )
    GROUP_UPDATED = (
        "group.updated",
        Category.GROUP,
        _("Group updated"),
        _("A group's attributes were changed"),
    )
    GROUP_MEMBERS_CHANGED = (
        "group.members_changed",
        Category.GROUP,
        _("Group members changed"),
        _("Members were added to a group or removed from it"),
    )
    GROUP_DELETED = (
        "group.deleted",
        Category.GROUP,
        _("Group deleted"),
        _("A group was deleted"),
    )
    ATTRIBUTE_CREATED = (
        "attribute.created",
        Category.ATTRIBUTE,
        _("Custom attribute created"),
        _("A custom attribute was defined"),
    )
    ATTRIBUTE_REMOVED = (
        "attribute.removed",
        Category.ATTRIBUTE,
        _("Custom attribute deleted"),
        _("A custom attribute and its values were deleted"),
    )
    PROVIDER_UPDATED = (
        "provider.updated",
        Category.SETTING,
        _("IdP settings changed"),
        _("An identity provider's settings were changed"),
    )
    LOG_TRIMMED = (
        "log.trimmed",
        Category.SETTING,
        _("Provisioning log trimmed"),
        _("Requests older than the retention period were deleted from the provisioning log"),
    )
    LOG_EXPORTED = (
        "log.exported",
        Category.ACCESS,
        _("Provisioning log exported"),
        _("Somebody took a copy of the provisioning log"),
    )
    ACCOUNT_CREATED = (
        "account.created",
        Category.ACCESS,
        _("Portal account created"),
        _("A portal account was created"),
    )
    PASSWORD_CHANGED = (
        "password.changed",
        Category.ACCESS,
        _("Password changed"),
        _("The password of a portal account was changed"),
    )
    SIGNED_IN = "session.started", Category.ACCESS, _("Signed in"), _("Somebody signed in")
    SIGN_IN_FAILED = (
        "session.refused",
        Category.ACCESS,
        _("Sign-in refused"),
        _("A sign-in was refused"),
    )
    SIGNED_OUT = "session.ended", Category.ACCESS, _("Signed out"), _("Somebody signed out")
    ROLE_REFUSED = (
        "role.refused",
        Category.ACCESS,
        _("Action refused"),
        _("An action was refused because the role does not allow it"),
    )
    AUTHENTICATION_FAILED = (
        "authentication.failed",
        Category.ACCESS,
        _("SCIM requests refused"),
        _("SCIM requests were refused for want of a valid token"),
    )

    VIEW_SAVED = (
        "view.saved",
        Category.TRAIL,
        _("View saved"),
        _("A view of the audit trail was saved"),
    )
    VIEW_RENAMED = (
        "view.renamed",
        Category.TRAIL,
        _("View renamed"),
        _("A saved view of the audit trail was renamed"),
    )
    VIEW_DELETED = (
        "view.deleted",
        Category.TRAIL,
        _("View deleted"),
        _("A saved view of the audit trail was deleted"),
    )
    ALERT_RAISED = (
        "alert.raised",
        Category.ALERT,
        _("Alert raised"),
        _("Something was found that should not be"),
    )
    ALERT_ENDED = (
        "alert.ended",
        Category.ALERT,
        _("Alert ended"),
        _("What had been found is no longer so"),
    )
    TRAIL_TRIMMED = (
        "trail.trimmed",
        Category.TRAIL,
        _("Month of the audit trail removed"),
        _("The events of a month were removed, because they were older than what is kept"),
    )
    TRAIL_BROKEN = (
        "trail.broken",
        Category.TRAIL,
        _("Audit trail tampered with"),
        _("The verification found that the audit trail was altered"),
    )
    TRAIL_EXPORTED = (
        "trail.exported",
        Category.TRAIL,
        _("Audit trail exported"),
        _("Somebody asked for a copy of a part of the audit trail"),
    )
    EXPORT_DOWNLOADED = (
        "export.downloaded",
        Category.TRAIL,
        _("Export downloaded"),
        _("Somebody downloaded a copy of a part of the audit trail"),
    )
    JOB_FAILED = (
        "job.failed",
        Category.JOB,
        _("Job given up"),
        _("A background job failed again and again and was given up"),
    )
    JOB_RETRIED = (
        "job.retried",
        Category.JOB,
        _("Job tried again"),
        _("A background job that was given up was put back to be tried again"),
    )
    JOB_DISCARDED = (
        "job.discarded",
        Category.JOB,
        _("Job discarded"),
        _("A background job that was given up was discarded"),
    )

    def __init__(self, key: str, category: Category, label: Promise, explanation: Promise) -> None:
        self.key = key
        self.category = category
        self.label = label
        self.explanation = explanation


BY_KEY = {type.key: type for type in EventType}


class Outcome(Enum):
    """How it ended."""

    SUCCESS = "success", _("Success")
    FAILURE = "failure", _("Refused")

    def __init__(self, key: str, label: Promise) -> None:
        self.key = key
        self.label = label
