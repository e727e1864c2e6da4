"""Django settings. Production values are the only values; `arena.environment` reads what may differ."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from arena import environment

# Before numpy is imported: with more threads sums come in another order, and a board's last digits differ between the
# worker that publishes it and the command that verifies it. At these sizes threads only cost.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

BASE_DIR = Path(__file__).resolve().parent.parent
TESTING = "pytest" in sys.modules
VAR_DIR = environment.folder("VAR_DIR", BASE_DIR / "var", throwaway=TESTING)
CODE_VERSION = "0.1.0"

DEBUG = False
SECRET_KEY = environment.secret_key(VAR_DIR / "secret-key")

# Where we are reached. PUBLIC_URL is what a browser types; HOST and PORT are what we listen on.
HOST = environment.host("HOST", "127.0.0.1")
PORT = environment.whole_number("PORT", 8000, low=1, high=65535)
PUBLIC_URL = environment.origin("PUBLIC_URL")
# The server itself reads forwarding headers, and only those of these addresses: nothing here may read them again.
TRUSTED_PROXIES = environment.addresses("TRUSTED_PROXIES")
IS_SECURE = PUBLIC_URL.startswith("https://")
_own_names = ["localhost", "127.0.0.1", "[::1]"]
if PUBLIC_URL:
    _own_names.append(environment.in_url(str(urlsplit(PUBLIC_URL).hostname)))
# On all interfaces the names by which colleagues reach this machine are unknown; browsers are held to one origin
# by the CSRF and socket-origin checks, which compare with the Host they used.
ALLOWED_HOSTS = ["*"] if HOST in ("0.0.0.0", "::") and not PUBLIC_URL else [*_own_names, environment.in_url(HOST)]  # noqa: S104
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = IS_SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

RATE_LIMITS = environment.word("ARENA_RATE_LIMITS", "on", ("on", "off")) == "on"
LOCAL_MODEL_URL = environment.origin_with_path("LOCAL_MODEL_URL")
PROCESS_NAME = environment.names("BLINDFOLD_PROCESS")[0] if environment.names("BLINDFOLD_PROCESS") else ""
REDIS_URL = environment.redis_url("REDIS_URL")
# Two instances may share a Redis without reading each other's frames.
REDIS_PREFIX = "blindfold-" + hashlib.sha256(SECRET_KEY.encode()).hexdigest()[:12]

INSTALLED_APPS = [
    "arena.teams",
    "arena.competitors",
    "arena.prompts",
    "arena.battles",
    "arena.integrity",
    "arena.leaderboards",
    "arena.api",
    "arena.upkeep",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "channels",
    "csp",
    "rest_framework",
    "drf_spectacular",
]

MIDDLEWARE = [
    # The first three are outermost, so that refusals of those below carry their headers too.
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

ROOT_URLCONF = "arena.urls"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"  # our templates may stand in for a widget's
ASGI_APPLICATION = "arena.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "arena.teams.context.instance",
            ],
        },
    },
]

DATABASES = {"default": environment.database(VAR_DIR / "blindfold.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
_shared_layer = {
    "BACKEND": "channels_redis.core.RedisChannelLayer",
    "CONFIG": {"hosts": [REDIS_URL], "prefix": REDIS_PREFIX},
}
CHANNEL_LAYERS = {"default": _shared_layer if REDIS_URL else {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
SESSION_ENGINE = "django.contrib.sessions.backends.db"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_I18N = USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": VAR_DIR / "files"}},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if TESTING:  # no collectstatic before every run; a database file, since threads cannot share one in memory
    DATABASES["default"].setdefault("TEST", {})
    if "sqlite" in DATABASES["default"]["ENGINE"]:
        DATABASES["default"]["TEST"]["NAME"] = VAR_DIR / "test.sqlite3"
    STATIC_ROOT.mkdir(exist_ok=True)
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    WHITENOISE_USE_FINDERS = True

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
        "img-src": [SELF],
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["arena.api.authentication.VoterSession"],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "arena.api.parsers.ShallowJSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "arena.api.errors.answer",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Blindfold",
    "DESCRIPTION": "Blind pairwise human-preference arenas for language models.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {"httpx": {"level": "WARNING"}},
}
