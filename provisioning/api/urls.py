"""The SCIM service's routes. Whatever matches none still asks for a token."""

from django.urls import re_path

from provisioning.api import bulk, discovery, views
from provisioning.api.endpoints import Groups, Users

app_name = "scim"
urlpatterns = [
    re_path(r"^/v2/Me/?$", discovery.NotImplementedYet.as_view(), name="not-implemented"),
    re_path(r"^/v2/Bulk/?$", bulk.Bulk.as_view(), name="bulk"),
    re_path(r"^/v2(?:/|/\.search/?)?$", views.SearchAll.as_view(), name="search-all"),
    re_path(
        r"^/v2/Users/\.search/?$",
        views.Search.as_view(endpoint_class=Users),
        name="search-users",
    ),
    re_path(
        r"^/v2/Groups/\.search/?$",
        views.Search.as_view(endpoint_class=Groups),
        name="search-groups",
    ),
    re_path(r"^/v2/Users/?$", views.Collection.as_view(endpoint_class=Users), name="users"),
    re_path(
        r"^/v2/Users/(?P<resource_id>[^/]+)/?$",
        views.Item.as_view(endpoint_class=Users),
        name="user",
    ),
    re_path(r"^/v2/Groups/?$", views.Collection.as_view(endpoint_class=Groups), name="groups"),
    re_path(
        r"^/v2/Groups/(?P<resource_id>[^/]+)/?$",
        views.Item.as_view(endpoint_class=Groups),
        name="group",
    ),
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
    re_path(r"^/v(?!2(?:/|$))[0-9]+(?:/.*)?$", discovery.WrongVersion.as_view(), name="version"),
    re_path(r"^[\s\S]*$", discovery.NotFoundView.as_view(), name="nothing"),
]
