"""The settings: one file, every value from the environment (docs/settings.md lists them)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from config import env, limits
from config.logging import LOGGING  # noqa: F401 — Django reads it from here

BASE_DIR = Path(__file__).resolve().parent.parent

# What a deployment may choose ---------------------------------------------------------------

DATA_DIR = env.read("ALTA_DATA_DIR", str(BASE_DIR / "var"), env.data_dir)
SECRETS_DIR = DATA_DIR / "secrets"
PUBLIC_URL = env.read("PUBLIC_URL", "http://127.0.0.1:8000", env.public_url)
SCIM_TOKEN_LIMIT = env.read("SCIM_TOKEN_LIMIT", "2", env.whole_number(1, 100))
SCIM_TOKEN_LIMIT_SCOPE = env.read(
    "SCIM_TOKEN_LIMIT_SCOPE", "installation", env.one_of("installation", "provider")
)
PROVISIONING_LOG = env.read(
    "PROVISIONING_LOG", "all", env.one_of("all", "changes", "errors", "off")
)
PROVISIONING_LOG_READS = env.read("PROVISIONING_LOG_READS", "1", env.share)
AUDIT_EXPORT_DAYS = env.read("AUDIT_EXPORT_DAYS", "7", env.whole_number(1, 365))
ALERT_SILENCE_HOURS = env.read("ALERT_SILENCE_HOURS", "24", env.whole_number(0, 8_760))
ALERT_ERROR_PERCENT = env.read("ALERT_ERROR_PERCENT", "20", env.whole_number(0, 100))
ERASE_DELETED_AFTER_DAYS = env.read("ERASE_DELETED_AFTER_DAYS", "0", env.whole_number(0, 36_500))
AUDIT_MONTHS = env.read("AUDIT_MONTHS", "0", env.months_kept)
PROVISIONING_LOG_DAYS = env.read("PROVISIONING_LOG_DAYS", "30", env.whole_number(1, 3_650))
TRUSTED_PROXIES = env.read("TRUSTED_PROXIES", "", env.networks)
CELERY_BROKER_URL = env.read("CELERY_BROKER_URL", "filesystem://", env.broker)
TIME_ZONE = "UTC"  # what is stored; each viewer sees their own zone


def _secret(name: str, make: Callable[[], str]) -> str:
    """Return a secret from the environment, else the one kept in the data folder."""
    return env.read(name, "", str) or env.kept_secret(SECRETS_DIR, name, make)


def _checked(name: str, text: str, convert: Callable[[str], env.Value]) -> env.Value:
    """Convert a secret; a wrong one stops the start with a sentence that does not show it."""
    try:
        return convert(text)
    except ValueError as error:
        raise env.WrongSetting(f"{name} {error}.") from None


SECRET_KEY: str = _checked("SECRET_KEY", _secret("SECRET_KEY", env.new_secret), env.secret_key)
TOKEN_PEPPERS: dict[str, bytes] = _checked(
    "TOKEN_PEPPERS", _secret("TOKEN_PEPPERS", env.new_peppers), env.peppers
)
AUDIT_SIGNING_KEY: tuple[bytes, ...] = _checked(
    "AUDIT_SIGNING_KEY", _secret("AUDIT_SIGNING_KEY", env.new_signing_key), env.signing_keys
)

# Database -----------------------------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.read("DATABASE_URL", f"sqlite:///{DATA_DIR / 'alta.sqlite3'}", env.database)
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # One writer at a time: take the write lock at BEGIN and wait for it, never fail half-way.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 5,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
            "PRAGMA cache_size=-16000; PRAGMA recursive_triggers=ON;"
        ),
    }
    # A file, as in production: threads of a memory database fail where these wait.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
else:
    # A new connection costs 9 ms of CPU: keep them. Timeouts bound what no index can serve.
    DATABASES["default"].setdefault("OPTIONS", {})
    DATABASES["default"]["OPTIONS"] |= {
        "options": "-c statement_timeout=15000 -c idle_in_transaction_session_timeout=30000",
        "server_side_binding": True,
        "prepare_threshold": 2,
    }
DATABASES["default"]["CONN_MAX_AGE"] = None
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Applications -------------------------------------------------------------------------------

INSTALLED_APPS = [
    "config",
    "portal",
    "provisioning",
    "audit",
    "axes",
    "csp",
    "django_htmx",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
# The middleware named in config.middleware is the framework's own, skipped for /scim: a token
# needs no session, cookie or language.
MIDDLEWARE = [
    "config.middleware.origin",
    "config.middleware.Security",
    "config.middleware.StaticFiles",
    "config.middleware.Sessions",
    "config.middleware.Locale",
    "config.middleware.Common",
    "config.middleware.Csrf",
    "config.middleware.Authentication",
    "config.middleware.Messages",
    "config.middleware.Frames",
    "config.middleware.Csp",
    "config.middleware.Htmx",
    "config.middleware.refusals",
    "config.middleware.Viewer",
    "config.middleware.Axes",
    "config.errors.not_allowed",
]
SILENCED_SYSTEM_CHECKS = [
    # These look for middleware by name; it runs, under the names in config.middleware.
    "security.W001",
    "security.W002",
    "security.W003",
    "axes.W002",  # its middleware runs, under the name in config.middleware
    "urls.W002",  # the SCIM route takes doubled slashes on purpose
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.page",
            ],
            "builtins": ["portal.templatetags.portal"],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["django.template.loaders.filesystem.Loader"],
                )
            ],
        },
    }
]

# Language, static files, e-mail -------------------------------------------------------------

LANGUAGE_CODE = "es"
LANGUAGES = [("es", "Español"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.static.Storage"},
}

globals().update(
    {k: v for k, v in env.read("EMAIL_URL", "dummy:", env.email).items() if k.startswith("EMAIL_")}
)
EMAIL_CONFIGURED = env.read("EMAIL_URL", "", str) != ""
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.read(
    "EMAIL_FROM", f"alta@{urlsplit(PUBLIC_URL).hostname}", str
)

# Security -----------------------------------------------------------------------------------

DEBUG = False
HTTPS = PUBLIC_URL.startswith("https://")
ALLOWED_HOSTS = [
    str(urlsplit(PUBLIC_URL).hostname),
    "localhost",
    "127.0.0.1",
    "[::1]",
    *env.read("ALLOWED_HOSTS", "", env.hosts),
]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "alta_session"
CSRF_COOKIE_NAME = "alta_csrf"
LANGUAGE_COOKIE_NAME = "alta_language"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = False
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = limits.SCIM_BODY
FILE_UPLOAD_HANDLERS: list[str] = []  # no form takes a file
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "manifest-src": ["'self'"],
    }
}

AUTH_USER_MODEL = "portal.Account"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "portal.passwords.CommonPassword"},
]
LOGIN_URL = "portal:sign-in"
LOGIN_REDIRECT_URL = "portal:home"
LOGOUT_REDIRECT_URL = "portal:sign-in"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "config.middleware.counted_ip"
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False
AXES_DISABLE_ACCESS_LOG = True

# SCIM ---------------------------------------------------------------------------------------

REST_FRAMEWORK: dict[str, Any] = {
    "EXCEPTION_HANDLER": "provisioning.api.errors.handle",
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_AUTHENTICATION_CLASSES": [],
}
# django-scim2 reads this once, at its first import.
SCIM_SERVICE_PROVIDER = {
    "SCHEME": urlsplit(PUBLIC_URL).scheme,
    "NETLOC": urlsplit(PUBLIC_URL).netloc,
    "USER_ADAPTER": "provisioning.adapters.UserAdapter",
    "GROUP_ADAPTER": "provisioning.adapters.GroupAdapter",
    "USER_MODEL_GETTER": "provisioning.adapters.user_model",
    "GROUP_MODEL": "provisioning.models.Group",
    "SERVICE_PROVIDER_CONFIG_MODEL": "provisioning.adapters.ServiceProviderConfig",
    "BASE_LOCATION_GETTER": "provisioning.adapters.base_location",
    "SCHEMAS_GETTER": "provisioning.adapters.all_schemas",
    "WWW_AUTHENTICATE_HEADER": "Bearer",
    "AUTHENTICATION_SCHEMES": [
        {
            "type": "oauthbearertoken",
            "name": "OAuth Bearer Token",
            "description": "A SCIM token generated in the portal, sent as a bearer token.",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": True,
        }
    ],
}

# Background work ----------------------------------------------------------------------------

CELERY_TIMEZONE = "UTC"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {}
if CELERY_BROKER_URL.startswith("filesystem:"):
    _broker = DATA_DIR / "broker"
    for _folder in ("messages", "processed", "control"):
        (_broker / _folder).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_broker / "messages"),
        "data_folder_out": str(_broker / "messages"),
        "processed_folder": str(_broker / "processed"),
        "control_folder": str(_broker / "control"),
        "store_processed": False,
        "polling_interval": 0.2,
    }
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    "tokens": {"task": "provisioning.tasks.expire_tokens", "schedule": 300},
    "sweep": {"task": "provisioning.tasks.sweep", "schedule": 3600},
    "statistics": {"task": "provisioning.tasks.refresh_statistics", "schedule": 300},
    "portal-sweep": {"task": "portal.tasks.sweep", "schedule": 3600},
    "authentication-failures": {
        "task": "provisioning.tasks.record_authentication_failures",
        "schedule": 60,
    },
    "hourly-counts": {"task": "audit.tasks.count_hours", "schedule": 300},
    "provisioning-log": {"task": "provisioning.tasks.forget_requests", "schedule": 3600},
    "alerts": {"task": "provisioning.tasks.look_for_alerts", "schedule": 300},
    "erasure": {"task": "provisioning.tasks.erase_deleted", "schedule": 86400},
    "retention": {"task": "audit.tasks.trim", "schedule": 86400},
    "partitions": {"task": "audit.tasks.make_partitions", "schedule": 3600},
    # A message that waited is worth nothing: the next one seals what it would have sealed.
    "seals": {"task": "audit.tasks.seal", "schedule": 2, "options": {"expires": 10}},
    "old-exports": {"task": "audit.tasks.expire_exports", "schedule": 3600},
    "verification": {"task": "audit.tasks.verify", "schedule": 3600},
    "old-jobs": {"task": "audit.tasks.forget_jobs", "schedule": 3600},
    "jobs": {
        "task": "audit.tasks.run_jobs",
        "args": ("default",),
        "schedule": 5,
        "options": {"expires": 10},
    },
    "exports": {
        "task": "audit.tasks.run_jobs",
        "args": ("exports",),
        "schedule": 5,
        "options": {"expires": 10, "queue": "exports"},
    },
}
