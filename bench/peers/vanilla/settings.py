"""What startproject writes and what django-scim2's documentation asks for; nothing tuned."""

import os
from urllib.parse import parse_qs, unquote, urlsplit

_url = urlsplit(os.environ["VANILLA_DATABASE_URL"])
SECRET_KEY = "a-bench-has-no-secrets"
DEBUG = False
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_scim",
    "vanilla",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "vanilla.tokens.TokenMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "vanilla.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
WSGI_APPLICATION = "vanilla.wsgi.application"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _url.path.removeprefix("/"),
        "USER": _url.username,
        "HOST": unquote(_url.netloc.rpartition("@")[2]) or parse_qs(_url.query)["host"][0],
        # Django's default is 0, a connection a request; the second figure keeps them.
        "CONN_MAX_AGE": None if os.environ.get("VANILLA_PERSISTENT") else 0,
    }
}
MIGRATION_MODULES = {"vanilla": "vanilla_migrations"}  # made in the bench's own folder
AUTH_USER_MODEL = "vanilla.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
SCIM_SERVICE_PROVIDER = {
    "NETLOC": "localhost",
    "GROUP_MODEL": "vanilla.models.Group",
    "AUTHENTICATION_SCHEMES": [{"type": "oauthbearertoken", "name": "Bearer", "description": "-"}],
}
