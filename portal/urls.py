"""The portal's pages. Paths are Spanish, as the product; names are English, as the code."""

from django.urls import path

from portal.views import home, preferences, sessions, tokens

app_name = "portal"
urlpatterns = [
    path("", home.home, name="home"),
    path("entrar/", sessions.sign_in, name="sign-in"),
    path("salir/", sessions.sign_out, name="sign-out"),
    path("cuenta/clave/", sessions.change_password, name="password-change"),
    path("idioma/", preferences.language, name="language"),
    path("apariencia/", preferences.theme, name="theme"),
    path("administracion/identidad/aprovisionamiento/", tokens.index, name="tokens"),
]
