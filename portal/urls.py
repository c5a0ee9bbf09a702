"""The portal's pages. Paths are Spanish, as the product; names are English, as the code."""

from django.urls import path

from portal.views import home, preferences, sessions, tokens

app_name = "portal"
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
]
