"""The portal's pages. Paths are Spanish, as the product; names are English, as the code."""

from django.urls import path

from portal.views import (
    attributes,
    exports,
    groups,
    home,
    jobs,
    preferences,
    providers,
    requests,
    saved_views,
    sessions,
    tokens,
    users,
)

app_name = "portal"
ATTRIBUTES = "administracion/identidad/atributos/"
EXPORTS = "exportaciones/"
JOBS = "ajustes/trabajos/"
REQUESTS = "registro/"
TOKENS = "administracion/identidad/aprovisionamiento/"
urlpatterns = [
    path("", home.home, name="home"),
    path("ayuda/", home.help_page, name="help"),
    path("entrar/", sessions.sign_in, name="sign-in"),
    path("salir/", sessions.sign_out, name="sign-out"),
    path("cuenta/clave/", sessions.change_password, name="password-change"),
    path("idioma/", preferences.language, name="language"),
    path("apariencia/", preferences.theme, name="theme"),
    path(TOKENS, tokens.index, name="tokens"),
    path(f"{TOKENS}generar/", tokens.generate, name="token-generate"),
    path(f"{TOKENS}<uuid:token_id>/activar/", tokens.activate, name="token-activate"),
    path(f"{TOKENS}<uuid:token_id>/desactivar/", tokens.deactivate, name="token-deactivate"),
    path(f"{TOKENS}<uuid:token_id>/renovar/", tokens.renew, name="token-renew"),
    path(f"{TOKENS}<uuid:token_id>/quitar/", tokens.remove, name="token-remove"),
    path(f"{TOKENS}<uuid:provider_id>/ajustes/", providers.configure, name="provider-configure"),
    path(ATTRIBUTES, attributes.index, name="attributes"),
    path(f"{ATTRIBUTES}nuevo/", attributes.add, name="attribute-add"),
    path(f"{ATTRIBUTES}<uuid:attribute_id>/quitar/", attributes.remove, name="attribute-remove"),
    path("usuarios/", users.index, name="users"),
    path("usuarios/<uuid:user_id>/", users.detail, name="user"),
    path("usuarios/<uuid:user_id>/transferir/", users.transfer, name="user-transfer"),
    path("usuarios/<uuid:user_id>/restaurar/", users.restore, name="user-restore"),
    path("usuarios/<uuid:user_id>/borrar/", users.erase, name="user-erase"),
    path("grupos/", groups.index, name="groups"),
    path("grupos/<uuid:group_id>/", groups.detail, name="group"),
    path(REQUESTS, requests.index, name="requests"),
    path(f"{REQUESTS}novedades/", requests.news, name="requests-news"),
    path(f"{REQUESTS}exportar.csv", requests.download, {"format": "csv"}, name="requests-csv"),
    path(
        f"{REQUESTS}exportar.jsonl", requests.download, {"format": "jsonl"}, name="requests-jsonl"
    ),
    path(EXPORTS, exports.index, name="exports"),
    path(f"{EXPORTS}nueva/", exports.ask, name="export-ask"),
    path(f"{EXPORTS}<uuid:export_id>/", exports.download, name="export-file"),
    path(f"{EXPORTS}<uuid:export_id>/manifiesto/", exports.manifest, name="export-manifest"),
    path(JOBS, jobs.index, name="jobs"),
    path(f"{JOBS}<int:job_id>/reintentar/", jobs.retry, name="job-retry"),
    path(f"{JOBS}<int:job_id>/descartar/", jobs.discard, name="job-discard"),
    path(f"{REQUESTS}<uuid:logged_id>/", requests.detail, name="request"),
    path("vistas/nueva/", saved_views.save, name="view-save"),
    path("vistas/<uuid:view_id>/", saved_views.rename, name="view-rename"),
    path("vistas/<uuid:view_id>/borrar/", saved_views.delete, name="view-delete"),
]
