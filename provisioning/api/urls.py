"""The SCIM service's routes. Whatever matches none still asks for a token."""

from django.urls import re_path

from provisioning.api import discovery, groups, users

app_name = "scim"
urlpatterns = [
    re_path(
        r"^/v2/(?:Me|Bulk|(?:Users/|Groups/)?\.search)/?$",
        discovery.NotImplementedYet.as_view(),
        name="not-implemented",
    ),
    re_path(r"^/v2/Users/?$", users.UserCollection.as_view(), name="users"),
    re_path(r"^/v2/Users/(?P<user_id>[^/]+)/?$", users.UserItem.as_view(), name="user"),
    re_path(r"^/v2/Groups/?$", groups.GroupCollection.as_view(), name="groups"),
    re_path(r"^/v2/Groups/(?P<group_id>[^/]+)/?$", groups.GroupItem.as_view(), name="group"),
    re_path(
        r"^/v2/ServiceProviderConfig/?$",
        discovery.ServiceProviderConfigView.as_view(),
        name="service-provider-config",
    ),
    re_path(
        r"^/v2/ResourceTypes(?:/(?P<name>[^/]+))?/?$",
        discovery.ResourceTypes.as_view(),
        name="resource-types",
    ),
    re_path(r"^/v2/Schemas(?:/(?P<name>[^/]+))?/?$", discovery.Schemas.as_view(), name="schemas"),
    re_path(r"^.*$", discovery.NotFoundView.as_view(), name="nothing"),
]
