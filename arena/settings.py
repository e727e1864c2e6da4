"""Django settings. Production values are the only values; `arena.environment` reads what may differ."""

from __future__ import annotations

import hashlib
import os
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

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
ADDRESS_DAYS = environment.whole_number("ARENA_ADDRESS_DAYS", 30, low=1, high=365)
PROOF_OF_WORK = environment.whole_number("ARENA_PROOF_OF_WORK", 0, low=0, high=24)
LOCAL_MODEL_URL = environment.origin_with_path("LOCAL_MODEL_URL")
WEBHOOKS_PRIVATE = environment.word("ARENA_WEBHOOKS_PRIVATE", "off", ("on", "off")) == "on"
KEY_VARIABLES = frozenset(environment.names("ARENA_KEY_VARIABLES"))
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
    "arena.console",
    "arena.api",
    "arena.upkeep",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.mfa",
    "axes",
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
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
    "arena.teams.mail.SayThatNoMailLeft",
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

# Accounts: e-mail and password; with a mail server also codes by e-mail, and with OIDC_ISSUER the organization's own.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",  # of accounts made before; replaced at their next sign-in
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "home"
SIGN_UP = environment.word("ARENA_SIGN_UP", "invited", ("invited", "open"))
_mail = environment.email("EMAIL_URL")
globals().update(_mail)
HAS_MAIL = "EMAIL_HOST" in _mail
if HAS_MAIL and "*" in ALLOWED_HOSTS:  # whoever asks for a mail would choose whose server its link leads to
    raise ImproperlyConfigured("EMAIL_URL needs PUBLIC_URL where HOST is all interfaces: links in mails begin with it.")
EMAIL_TIMEOUT = 10  # seconds; somebody waits for the page
DEFAULT_FROM_EMAIL = environment.text("EMAIL_FROM", "blindfold@localhost")
ACCOUNT_ADAPTER = "arena.teams.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email", "username"}  # the name for those whom createsuperuser made without an address
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "arena.teams.forms.SignUpForm"
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if HAS_MAIL else "none"
ACCOUNT_LOGIN_BY_CODE_ENABLED = HAS_MAIL
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if IS_SECURE else "http"
# django-axes counts failed sign-ins by account and address; the limit here is against many accounts from one address.
ACCOUNT_RATE_LIMITS = {"login_failed": "60/m/ip", "new_voter": "60/h/ip"} if RATE_LIMITS else False
MFA_ADAPTER = "arena.teams.adapters.SecretsAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Blindfold"
MFA_ALLOW_UNVERIFIED_EMAIL = not HAS_MAIL  # without mail no address is ever confirmed
SOCIALACCOUNT_ADAPTER = "arena.teams.adapters.DirectoryAdapter"
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_PROVIDERS = environment.oidc()
if SOCIALACCOUNT_PROVIDERS:  # its code is loaded only where it is used
    INSTALLED_APPS.append("allauth.socialaccount.providers.openid_connect")
AXES_FAILURE_LIMIT = 6
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # nobody can lock out somebody else from afar
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_CALLABLE = "arena.teams.lockout.name_tried"
AXES_CLIENT_IP_CALLABLE = "arena.teams.lockout.masked_address"
AXES_LOCKOUT_TEMPLATE = "account/locked.html"
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False

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
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "arena.api.authentication.BearerToken",
        "arena.api.authentication.VoterSession",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["arena.api.authentication.HasScope"],
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
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "arena.api.authentication.describe_token_refusals",
    ],
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {"httpx": {"level": "WARNING"}, "axes": {"level": "ERROR"}},  # axes would write addresses
}
