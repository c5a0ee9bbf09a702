"""Refusals in words: what each means, where the RFC says so, and what to do in that IdP's console.

Looked up by the rule that was broken, else by status and scimType, else by the status alone.
"""

from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from provisioning.models import LoggedRequest, Provider

Kind = Provider.Kind
Text = str | Promise
MAPPING, ASSIGNMENT, CONNECTION = "mapping", "assignment", "connection"

# Where each console has what a fix speaks of.
PLACES: dict[str, dict[str, Text]] = {
    MAPPING: {
        Kind.ENTRA_ID: _(
            "Enterprise applications › your application › Provisioning › Attribute mapping"
        ),
        Kind.OKTA: _("Applications › your application › Provisioning › To App"),
        Kind.ONELOGIN: _("Applications › your application › Parameters"),
        Kind.PINGONE: _("Integrations › Provisioning › your rule › Attribute Mapping"),
        Kind.PINGFEDERATE: _(
            "Applications › SP Connections › your connection › Outbound Provisioning › "
            "Manage Channels › Attribute Mapping"
        ),
        Kind.JUMPCLOUD: _("SSO Applications › your application › Identity Management"),
        Kind.GOOGLE_WORKSPACE: _(
            "Apps › Web and mobile apps › your application › Autoprovisioning › "
            "Edit attribute mapping"
        ),
        Kind.OTHER: _("The attribute mapping of your identity provider"),
    },
    ASSIGNMENT: {
        Kind.ENTRA_ID: _("Enterprise applications › your application › Users and groups"),
        Kind.OKTA: _("Applications › your application › Assignments, and Push Groups"),
        Kind.ONELOGIN: _("Applications › your application › Users, and Rules"),
        Kind.PINGONE: _("Integrations › Provisioning › your rule › User Filter"),
        Kind.PINGFEDERATE: _(
            "Applications › SP Connections › your connection › Outbound Provisioning › "
            "Manage Channels › Source Location"
        ),
        Kind.JUMPCLOUD: _("SSO Applications › your application › User Groups"),
        Kind.GOOGLE_WORKSPACE: _(
            "Apps › Web and mobile apps › your application › Autoprovisioning › "
            "Edit provisioning scope"
        ),
        Kind.OTHER: _("The assignments of your identity provider"),
    },
    CONNECTION: {
        Kind.ENTRA_ID: _(
            "Enterprise applications › your application › Provisioning › Admin credentials"
        ),
        Kind.OKTA: _("Applications › your application › Provisioning › Integration"),
        Kind.ONELOGIN: _("Applications › your application › Configuration › API Connection"),
        Kind.PINGONE: _("Integrations › Provisioning › your connection › Configuration"),
        Kind.PINGFEDERATE: _(
            "Applications › SP Connections › your connection › Outbound Provisioning › Target"
        ),
        Kind.JUMPCLOUD: _("SSO Applications › your application › Identity Management"),
        Kind.GOOGLE_WORKSPACE: _(
            "Apps › Web and mobile apps › your application › Autoprovisioning"
        ),
        Kind.OTHER: _("The SCIM 2.0 settings of your identity provider"),
    },
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """One kind of refusal. `fixes` are steps for one kind of IdP, in the place of `fix`.

    `place` names what of the IdP's console the fix is about; "" when it is done in Alta, or when
    there is nothing to do. A fix of one kind names its place itself: see `advice_for`.
    """

    title: Text
    meaning: Text
    rfc: str
    fix: Text
    place: str = ""
    fixes: dict[str, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Advice:
    """An explanation as one IdP's administrator reads it."""

    title: Text
    meaning: Text
    rfc: str
    fix: Text
    place: Text


# Rules of Alta: `notes.reason_of` the exception.
BY_REASON = {
    "user_name_taken": Explanation(
        _("The user name is taken"),
        _(
            "Another user of this identity provider already has this user name. Upper and lower "
            "case do not tell two names apart."
        ),
        "RFC 7644 §3.12, uniqueness",
        _(
            "Look for two accounts with the same name, or match the existing user by userName so "
            "that it is updated and not created again."
        ),
        MAPPING,
        {
            Kind.ENTRA_ID: _(
                "Open the mapping of userName, set «Match objects using this attribute» to Yes "
                "with precedence 1, save, and provision the user on demand."
            ),
            Kind.OKTA: _(
                "Import the users of the application and confirm the match with the existing "
                "one, then retry the assignment under Dashboard › Tasks."
            ),
        },
    ),
    "user_name_held_elsewhere": Explanation(
        _("Another identity provider has this user"),
        _(
            "A user with this name was provisioned by another identity provider. User names are "
            "unique in the whole installation, so that one person is never two users."
        ),
        "RFC 7644 §3.12, uniqueness",
        _(
            "If it is the same person, open the user in Alta under Users, choose «Transfer to "
            "another IdP», and let the new one provision it again. If not, give one of them "
            "another name."
        ),
    ),
    "group_name_taken": Explanation(
        _("The group name is taken"),
        _(
            "Another group of this identity provider already has this name. Upper and lower case "
            "do not tell two names apart."
        ),
        "RFC 7644 §3.12, uniqueness",
        _("Rename one of the two groups, or match the existing one by displayName."),
        MAPPING,
        {
            Kind.OKTA: _(
                "Under Push Groups, push the group by «Link Group» to the existing one and not by "
                "«Create Group»."
            ),
        },
    ),
    "immutable": Explanation(
        _("The user name cannot change"),
        _(
            "The request gives an existing user another user name. That is refused, because other "
            "systems know the person by it; nothing of the request was carried out."
        ),
        "RFC 7644 §3.12, mutability",
        _(
            "Send userName only when a user is created, or allow renaming for this identity "
            "provider in Alta, under User provisioning."
        ),
        MAPPING,
        {
            Kind.ENTRA_ID: _(
                "Open the mapping of userName and set «Apply this mapping» to «Only during object "
                "creation», or allow renaming in Alta, under User provisioning."
            ),
            Kind.OKTA: _(
                "Under Sign On, set «Update application username on» to «Create only», or allow "
                "renaming in Alta, under User provisioning."
            ),
        },
    ),
    "unknown_custom_attribute": Explanation(
        _("A custom attribute is not defined"),
        _("The request carries an attribute of the custom extension that Alta does not know."),
        "RFC 7643 §3.3",
        _(
            "Define the attribute in Alta under Attributes, with exactly this name, or remove it "
            "from the mapping."
        ),
        MAPPING,
    ),
    "unknown_members": Explanation(
        _("Members that Alta does not know"),
        _(
            "The request puts users into a group that this identity provider has not provisioned, "
            "or other groups, which cannot be members."
        ),
        "RFC 7644 §3.12, invalidValue",
        _(
            "Assign the persons themselves to the application before their group, and wait until "
            "they have been provisioned. Nested groups are not supported: assign their members."
        ),
        ASSIGNMENT,
        {
            Kind.OKTA: _(
                "Assign the group to the application, and not only under Push Groups: pushing a "
                "group does not provision its members. Then push the group again."
            ),
        },
    ),
    "not_found": Explanation(
        _("The user or group does not exist"),
        _(
            "The id belongs to nobody: it was deleted, or another identity provider has it now. "
            "Many identity providers ask once and then create it again."
        ),
        "RFC 7644 §3.12",
        _(
            "If the person is missing, remove the assignment and assign it again, so that the "
            "identity provider forgets the old id."
        ),
        ASSIGNMENT,
        {
            Kind.ENTRA_ID: _(
                "Provision the user on demand. If it does not help, restart the provisioning: "
                "that forgets all old ids."
            ),
        },
    ),
    "precondition_failed": Explanation(
        _("It was changed in the meantime"),
        _(
            "The identity provider sent If-Match with a version that is no longer the present "
            "one: somebody else changed it since it was read. Nothing was overwritten."
        ),
        "RFC 7644 §3.14",
        _("Nothing: the identity provider reads the present version and sends its change again."),
    ),
    "schema_changed": Explanation(
        _("The attributes were being changed"),
        _("A custom attribute was added or removed in Alta at the very moment of the request."),
        "RFC 7644 §3.12",
        _("Nothing: the identity provider sends the request again."),
    ),
    "invalid_value": Explanation(
        _("A value cannot be used"),
        _("An attribute has a value of another type or form than it must have."),
        "RFC 7644 §3.12, invalidValue",
        _("The detail names the attribute: correct its source or its mapping."),
        MAPPING,
    ),
    "too_long": Explanation(
        _("A text is too long"),
        _("An attribute has more characters than Alta keeps."),
        "RFC 7644 §3.12, invalidValue",
        _("The detail names the attribute and its limit: shorten it at its source."),
        MAPPING,
    ),
}

# What the protocol says by status and scimType.
BY_TYPE = {
    (400, "invalidValue"): BY_REASON["invalid_value"],
    (400, "mutability"): Explanation(
        _("A read-only or required attribute"),
        _(
            "The request changes an attribute that cannot be changed, such as id or groups, or "
            "removes one that a resource must have."
        ),
        "RFC 7644 §3.12, mutability",
        _("Remove the attribute that the detail names from the mapping."),
        MAPPING,
    ),
    (400, "invalidSyntax"): Explanation(
        _("The request is not well formed"),
        _("The body is not JSON, or does not have the form of a SCIM message."),
        "RFC 7644 §3.12, invalidSyntax",
        _(
            "An attribute mapping that builds text may produce it; else report it to the maker of "
            "the identity provider, with the request id."
        ),
        MAPPING,
    ),
    (400, "invalidPath"): Explanation(
        _("An attribute that does not exist"),
        _("The path of a PATCH operation names an attribute that a user or a group does not have."),
        "RFC 7644 §3.12, invalidPath",
        _("Correct the target attribute in the mapping: the detail names it."),
        MAPPING,
    ),
    (400, "noTarget"): Explanation(
        _("Nothing there to change"),
        _(
            "A PATCH operation chooses a value by a filter, such as the e-mail of type work, and "
            "the user has no such value."
        ),
        "RFC 7644 §3.5.2.3, noTarget",
        _(
            "Map the whole attribute or another type of it; or send the value once by creating or "
            "replacing the user."
        ),
        MAPPING,
    ),
    (400, "invalidFilter"): Explanation(
        _("The filter cannot be used"),
        _(
            "The identity provider looks a user or group up by an attribute that Alta does not "
            "keep, or by a filter that is not well formed. Without an answer it cannot tell "
            "whether the person exists."
        ),
        "RFC 7644 §3.4.2.2, invalidFilter",
        _("Choose userName, externalId or an e-mail as the attribute that users are matched by."),
        MAPPING,
        {
            Kind.ENTRA_ID: _(
                "Set «Match objects using this attribute» to No on the mapping that the detail "
                "names, and to Yes, with precedence 1, on userName or externalId."
            ),
        },
    ),
    (400, "tooMany"): Explanation(
        _("The query takes too long"),
        _(
            "The filter or the order cannot be served by an index in a directory of this size, "
            "and was given up after some seconds."
        ),
        "RFC 7644 §3.12, tooMany",
        _("Match users by userName, externalId or e-mail, compared for equality, and do not sort."),
        MAPPING,
    ),
    (400, "invalidVers"): Explanation(
        _("Another version of SCIM"),
        _("The request is addressed to a version of SCIM that Alta does not speak."),
        "RFC 7644 §3.13, invalidVers",
        _("Choose SCIM 2.0, and enter the target SCIM URL that Alta shows: it ends in /scim/v2."),
        CONNECTION,
    ),
    (400, "invalidCursor"): Explanation(
        _("A page that cannot be continued"),
        _("The cursor belongs to another query, or was altered."),
        "RFC 9865 §2.1, invalidCursor",
        _("Nothing: the identity provider begins the listing again."),
    ),
    (400, "expiredCursor"): Explanation(
        _("A page that waited too long"),
        _("The listing was continued long after its last page, and its cursor has expired."),
        "RFC 9865 §2.1, expiredCursor",
        _("Nothing: the identity provider begins the listing again."),
    ),
    (400, "invalidCount"): Explanation(
        _("The page size changed"),
        _("A listing by cursor must keep one count of at least 1 from its first page to its last."),
        "RFC 9865 §2.1, invalidCount",
        _("Set one page size in the identity provider, 500 at most."),
        CONNECTION,
    ),
    (409, "uniqueness"): BY_REASON["user_name_taken"],
    (409, ""): Explanation(
        _("Operations that wait for each other"),
        _("In a bulk request, operations refer to each other in a circle."),
        "RFC 7644 §3.7.1",
        _("Nested groups cause it: assign their members to the application directly."),
        ASSIGNMENT,
    ),
}

# What a status alone says.
BY_STATUS = {
    400: Explanation(
        _("The request was refused"),
        _("Something in the request is not as SCIM wants it: the detail says what."),
        "RFC 7644 §3.12",
        _("Correct in the mapping what the detail names."),
        MAPPING,
    ),
    403: Explanation(
        _("Not allowed here"),
        _("The service's own descriptions, such as the schemas, cannot be filtered."),
        "RFC 7644 §4",
        _("Nothing: identity providers read them whole."),
    ),
    404: Explanation(
        _("There is nothing at this address"),
        _("The URL is none of this service: often its end is missing or doubled."),
        "RFC 7644 §3.12",
        _("Enter the target SCIM URL exactly as Alta shows it: it ends in /scim/v2."),
        CONNECTION,
    ),
    405: Explanation(
        _("A method that does not apply"),
        _("The address exists, but not for this method."),
        "RFC 7644 §3.2",
        _("Report it to the maker of the identity provider, with the request id."),
    ),
    412: BY_REASON["precondition_failed"],
    413: Explanation(
        _("The request is too large"),
        _("The body is larger than 8 MiB, or has more than 1,000 operations. None was done."),
        "RFC 7644 §3.7.4",
        _("Send fewer members or operations at a time: lower the batch size."),
        CONNECTION,
    ),
    415: Explanation(
        _("The body is not JSON"),
        _("The Content-Type is another than application/scim+json or application/json."),
        "RFC 7644 §3.1",
        _("Choose JSON as the format, and no compression of requests."),
        CONNECTION,
    ),
    500: Explanation(
        _("An error of Alta's"),
        _("The request met an error in Alta. Nothing was changed; its log has the details."),
        "RFC 7644 §3.12",
        _("Report it with the request id. The identity provider tries again."),
    ),
    501: Explanation(
        _("Not offered by Alta"),
        _("The RFC names it, and this service says in its configuration that it has it not."),
        "RFC 7644 §3.12",
        _("Nothing: no identity provider needs it to provision users."),
    ),
    503: Explanation(
        _("The database was away"),
        _("Alta's database could not serve the request at that moment. Nothing was changed."),
        "RFC 7644 §3.12",
        _("Nothing: the identity provider tries again. If it repeats, look at the database."),
    ),
}


def explanation_of(status: int, scim_type: str = "", reason: str = "") -> Explanation | None:
    """Return what a refusal means; None for an answer that is none."""
    if status < 400:
        return None
    return (
        BY_REASON.get(reason)
        or BY_TYPE.get((status, scim_type))
        or BY_STATUS.get(status)
        or BY_STATUS[500 if status >= 500 else 400]
    )


def advice_for(request: LoggedRequest) -> Advice | None:
    """Return what a logged refusal means, and what to do in the console of its IdP."""
    found = explanation_of(request.status, request.scim_type, request.reason)
    if found is None:
        return None
    kind = request.provider_kind
    # A kind's own steps say where, but for Entra's mappings, which lie deep.
    tells_place = kind in found.fixes and (kind, found.place) != (Kind.ENTRA_ID, MAPPING)
    places = {} if tells_place else PLACES.get(found.place, {})
    return Advice(
        found.title,
        found.meaning,
        found.rfc,
        found.fixes.get(kind, found.fix),
        places.get(kind, places.get(Kind.OTHER, "")),
    )
