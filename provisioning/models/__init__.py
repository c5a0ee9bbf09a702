"""Who is provisioned, by whom, under which rules: columns, constraints, querysets."""

from provisioning.models.alerts import Alert
from provisioning.models.attributes import CustomAttribute, SchemaState
from provisioning.models.groups import Group, Membership
from provisioning.models.providers import Provider
from provisioning.models.requests import LoggedRequest, LostRequests
from provisioning.models.tokens import (
    AuthenticationFailure,
    ExpiryNotice,
    Token,
    TokenSecret,
    UsedForm,
)
from provisioning.models.users import IndexedValue, User

__all__ = [
    "Alert",
    "AuthenticationFailure",
    "CustomAttribute",
    "ExpiryNotice",
    "Group",
    "IndexedValue",
    "LoggedRequest",
    "LostRequests",
    "Membership",
    "Provider",
    "SchemaState",
    "Token",
    "TokenSecret",
    "UsedForm",
    "User",
]
