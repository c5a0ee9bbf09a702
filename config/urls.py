"""The map of the site: the SCIM service, the health checks, the audit trail, the portal."""

from django.urls import include, path, re_path

from config import health

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"

urlpatterns = [
    # Doubled slashes before `scim` must ask for a token too, not fall through to a page.
    re_path(r"^/*scim(?=[^\w-]|$)", include("provisioning.api.urls")),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("auditoria/", include("audit.urls")),
    path("", include("portal.urls")),
]
