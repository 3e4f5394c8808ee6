"""Django's settings. What an operator may change is in environment.py."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

from whetstone.environment import read_environment
from whetstone.logs import configuration

ENVIRONMENT = read_environment()
HOME = ENVIRONMENT.home

DEBUG = ENVIRONMENT.debug
SECRET_KEY = ENVIRONMENT.secret("secret.key", ENVIRONMENT.secret_key)
WORKER_TOKEN = ENVIRONMENT.secret("worker.token", ENVIRONMENT.worker_token)
_public = urlsplit(ENVIRONMENT.public_url)
ALLOWED_HOSTS = [
    "127.0.0.1",
    "localhost",
    "[::1]",
    _public.hostname or "localhost",
    *filter(None, ENVIRONMENT.allowed_hosts.split(",")),
]
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _public.scheme == "https"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _public.scheme == "https" else None
X_FRAME_OPTIONS = "DENY"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "whetstone.accounts",
    "whetstone.artifacts",
    "whetstone.datasets",
    "whetstone.modelhub",
    "whetstone.evaluators",
    "whetstone.workers",
    "whetstone.jobs",
    "whetstone.evaluations",
    "whetstone.deployments",
    "whetstone.suites",
    "whetstone.conversations",
    "whetstone.labels",
    "whetstone.webhooks",
    "whetstone.api",
    "whetstone.web",
    "whetstone.operations",
]
MIDDLEWARE = [
    "whetstone.api.security.SecurityHeadersMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "whetstone.api.request_id.RequestIdMiddleware",
    "whetstone.api.timing.TimingMiddleware",
    "whetstone.api.front_door.FrontDoorMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
ROOT_URLCONF = "whetstone.urls"
ASGI_APPLICATION = "whetstone.asgi.application"
APPEND_SLASH = False  # a redirect would turn an API client's POST into a GET
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

_SQLITE = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 30,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}
DATABASES: dict[str, Any] = {"default": dict(dj_database_url.parse(ENVIRONMENT.database))}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    HOME.mkdir(parents=True, exist_ok=True)
    DATABASES["default"]["OPTIONS"] = _SQLITE
else:
    # Under ASGI every request has a thread, and so a connection, of its own: from a pool they cost nothing to open.
    DATABASES["default"]["ENGINE"] = "dj_db_conn_pool.backends.postgresql"
    DATABASES["default"]["POOL_OPTIONS"] = {"POOL_SIZE": 8, "MAX_OVERFLOW": 12, "RECYCLE": 600}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]


def _artifact_store(place: str) -> dict[str, Any]:
    url = urlsplit(place)
    if url.scheme == "s3":
        options = {
            "bucket_name": url.netloc,
            "location": url.path.strip("/"),
            "endpoint_url": ENVIRONMENT.s3_endpoint_url or None,
            "file_overwrite": True,
        }
        return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    folder = {"location": place, "allow_overwrite": True}
    return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": folder}


STORAGES = {
    "default": _artifact_store(ENVIRONMENT.artifacts or str(HOME / "artifacts")),
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
FILE_UPLOAD_TEMP_DIR = str(HOME / "incoming")
(HOME / "incoming").mkdir(parents=True, exist_ok=True)
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024  # bodies that are no files; api.intake holds it, too

STATIC_URL = "/static/"
STATIC_ROOT = str(HOME / "static")
STATICFILES_DIRS = [str(Path(__file__).parents[2] / "frontend" / "dist")]
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_AUTOREFRESH = DEBUG

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [str(Path(__file__).parent / "locale")]
USE_TZ = True
TIME_ZONE = "UTC"

LOGGING = configuration(ENVIRONMENT.log)
