"""Settings of every process. Values come from the environment (`.env.example` lists them); wrong ones fail at start."""

import hashlib
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from contact_center import engine_addresses
from contact_center.common.field_keys import read_keys

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

DEBUG = env.bool("DEBUG", default=False)
DATA_DIR = Path(env.str("CONTINUO_DATA_DIR", default=str(BASE_DIR / ".data")))
SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured("SECRET_KEY is not set. Put a long random text into the environment or .env.")
    SECRET_KEY = "insecure-key-for-demo-and-tests-only"  # noqa: S105

# ---- encryption at rest: id:key,id:key, each key 32 bytes in base64; the first writes, all read ----
FIELD_KEYS = read_keys(env.str("FIELD_KEYS", default=""))
if not FIELD_KEYS:
    if not DEBUG:
        raise ImproperlyConfigured("FIELD_KEYS is not set. Make one: echo first:$(openssl rand -base64 32)")
    FIELD_KEYS = {"demo": hashlib.sha256(SECRET_KEY.encode()).digest()}

# ---- addresses ----
PUBLIC_BASE_URL = env.str("PUBLIC_BASE_URL", default="http://127.0.0.1:8000").rstrip("/")
LIVE_URL = env.str("LIVE_URL", default="ws://127.0.0.1:8001").rstrip("/")
IS_TLS = PUBLIC_BASE_URL.startswith("https://")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
CSRF_TRUSTED_ORIGINS = [PUBLIC_BASE_URL]
SIMULATOR = env.bool("SIMULATOR", default=False)
SIMULATOR_URL = env.str("SIMULATOR_URL", default="http://127.0.0.1:8002").rstrip("/")
SIMULATOR_PORT = env.int("SIMULATOR_PORT", default=8002)
SIMULATOR_SMTP_PORT = env.int("SIMULATOR_SMTP_PORT", default=2526)
SMTP_INTAKE_PORT = env.int("SMTP_INTAKE_PORT", default=2525)
if SIMULATOR and not DEBUG:
    raise ImproperlyConfigured(
        "SIMULATOR=1 is refused while DEBUG=0: a simulated provider must never run in production."
    )

# ---- applications ----
INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "contact_center.accounts.admin_app.ContinuoAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
    "channels",
    "csp",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "rest_framework",
    "contact_center.common",
    "contact_center.accounts",
    "contact_center.audit",
    "contact_center.jobs",
    "patients",
    "inbox",
    "scheduling",
    "complaints",
    "analytics",
]
if DEBUG:
    INSTALLED_APPS.append("contact_center.aurora")

MIDDLEWARE = [
    "contact_center.common.middleware.DatabaseUnavailableMiddleware",
    "contact_center.common.body_limit.BodyLimitMiddleware",
    "contact_center.common.middleware.MachineDoorMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "contact_center.common.csp.PageCSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "contact_center.accounts.middleware.SessionLifetimeMiddleware",
    "contact_center.accounts.middleware.SecondFactorMiddleware",
    "contact_center.accounts.middleware.PersonLanguageMiddleware",
    "contact_center.audit.middleware.AccessDeniedMiddleware",
    "contact_center.common.request_memory.RequestMemoryMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "contact_center.common.middleware.NoStoreMiddleware",
    "axes.middleware.AxesMiddleware",
]
if DEBUG:
    MIDDLEWARE.insert(
        MIDDLEWARE.index("contact_center.common.csp.PageCSPMiddleware") + 1,
        "contact_center.common.middleware.PeoplesErrorPagesMiddleware",
    )
ROOT_URLCONF = "contact_center.urls"
WSGI_APPLICATION = "contact_center.wsgi.application"
ASGI_APPLICATION = "contact_center.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "contact_center.common.context.shell",
            ],
            "builtins": [
                "contact_center.common.templatetags.continuo",
                "contact_center.common.templatetags.addresses",
            ],
            "libraries": {
                "i18n": "contact_center.common.templatetags.texts",
                "static": "contact_center.common.templatetags.files",
            },
        },
    }
]

# ---- PostgreSQL ----
DATABASE_URL = env.str("DATABASE_URL", default="") or engine_addresses.database_url(DATA_DIR)
DATABASES = {"default": environ.Env.db_url_config(DATABASE_URL)}
DATABASES["default"] |= {
    "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=60),
    "CONN_HEALTH_CHECKS": True,
    "DISABLE_SERVER_SIDE_CURSORS": env.bool("DISABLE_SERVER_SIDE_CURSORS", default=False),
}
DATABASES["default"].setdefault("OPTIONS", {})
DATABASES["default"]["OPTIONS"] |= {"connect_timeout": 5}
DATABASE_POOLED = env.bool("DATABASE_POOLED", default=False)
if not DATABASE_POOLED:
    # PgBouncer refuses start-up options; there the same limits are set on the role (docs/operations.md).
    DATABASES["default"]["OPTIONS"]["options"] = (
        "-c statement_timeout=15000 -c lock_timeout=4000 -c idle_in_transaction_session_timeout=30000"
        # What is planned once (common/prepared.py) stays so: by itself PostgreSQL plans a seventh of it anew each time.
        " -c plan_cache_mode=force_generic_plan"
    )
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---- Redis: only wakes workers and carries hints; everything in it may be lost ----
REDIS_URL = env.str("REDIS_URL", default="") or engine_addresses.redis_url(DATA_DIR)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "c",
        "TIMEOUT": 300,
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
}
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
}
SESSION_ENGINE = "contact_center.accounts.sessions"

# ---- Celery (reasons: docs/adr/0008-processes-and-work-lists.md) ----
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "health_check_interval": 10,
    "global_keyprefix": env.str("CELERY_KEY_PREFIX", default="q:"),
}
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONSUMER = "contact_center.consumer:PromptConsumer"
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 100
CELERY_WORKER_MAX_TASKS_PER_CHILD = 5000
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ALWAYS_EAGER = False

# ---- people and sessions ----
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "contact_center.accounts.backends.PersonBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_ADAPTER = "contact_center.accounts.adapter.ClosedSignupAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_RATE_LIMITS = {"login_failed": False, "reset_password": "20/m/ip,5/m/key"}  # failed sign-ins: axes
MFA_ADAPTER = "contact_center.accounts.second_factor.EncryptedSecrets"
MFA_FORMS = {
    "authenticate": "contact_center.accounts.second_factor.CodeForm",
    "reauthenticate": "contact_center.accounts.second_factor.CodeAgainForm",
    "activate_totp": "contact_center.accounts.second_factor.FirstCodeForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_TOTP_TOLERANCE = 1  # a clock may be half a minute off
MFA_ALLOW_UNVERIFIED_EMAIL = True  # admins make the accounts
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_RECOVERY_CODE_DIGITS = 10
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_TLS  # browsers themselves allow it on this machine only
MFA_PASSKEY_LOGIN_ENABLED = True
SECOND_FACTOR_REQUIRED = env.bool("SECOND_FACTOR_REQUIRED", default=not DEBUG)  # where no rule names a role
AXES_FAILURE_LIMIT = 5
AXES_LOCKOUT_PARAMETERS = ["username"]
AXES_COOLOFF_TIME = 0.25  # hours
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_FORM_FIELD = "login"
AXES_USERNAME_CALLABLE = "contact_center.accounts.throttling.sign_in_name"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # else an attacker could keep somebody out for ever
AXES_LOCKOUT_TEMPLATE = "account/locked.html"
AXES_VERBOSE = False
AXES_DISABLE_ACCESS_LOG = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_IDLE_SECONDS = env.int("SESSION_IDLE_SECONDS", default=900)
SESSION_ABSOLUTE_SECONDS = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_TLS
if IS_TLS:
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "contact_center.common.views.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "media-src": [SELF],
        "connect-src": [SELF, LIVE_URL],
        "form-action": [SELF],
        "frame-src": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
        "manifest-src": [SELF],
    }
}

# ---- languages, time, the name on every page ----
ORGANISATION_NAME = env.str("ORGANISATION_NAME", default="Continuo")
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("es", _("Spanish")), ("pt", _("Portuguese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="America/New_York")

# ---- files ----
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(DATA_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(DATA_DIR / "media")))  # private: no URL serves it directly
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Compressing takes half a minute on two cores: worth it once per image, not at every first start of a demo.
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
FILE_UPLOAD_PERMISSIONS = 0o600
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
MAX_INBOUND_BYTES = env.int("MAX_INBOUND_BYTES", default=26_214_400)
MAX_REQUEST_BYTES = 12 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_INBOUND_BYTES * 3 // 2  # a mail within its provider's JSON or base64
MAX_UPLOAD_BYTES = env.int("MAX_UPLOAD_BYTES", default=110 * 1024 * 1024)  # one reply with its files
MAX_ATTACHMENT_BYTES = env.int("MAX_ATTACHMENT_BYTES", default=26_214_400 - 1_048_576)
MAX_RECORDING_BYTES = env.int("MAX_RECORDING_BYTES", default=200 * 1024 * 1024)  # some six hours
DELETE_RECORDINGS_AT_PROVIDER = env.bool("DELETE_RECORDINGS_AT_PROVIDER", default=False)  # an hour after it is ours

# ---- a hospital's scheduling messages by MLLP; 0 means nobody listens ----
HL7_PORT = env.int("HL7_PORT", default=0)
HL7_HOST = env.str("HL7_HOST", default="127.0.0.1")
HL7_ACCOUNT = env.str("HL7_ACCOUNT", default="")  # the e-mail of the account that books
HL7_PEERS = env.list("HL7_PEERS", default=["127.0.0.1/32", "::1/128"])
HL7_TLS_CERTIFICATE = env.str("HL7_TLS_CERTIFICATE", default="")
HL7_TLS_KEY = env.str("HL7_TLS_KEY", default="")
HL7_TLS_CLIENTS = env.str("HL7_TLS_CLIENTS", default="")

SCAN_BACKEND = env.str("SCAN_BACKEND", default="")  # clamd://host:3310 or clamd:///path; empty: nothing scans
SCAN_TIMEOUT_SECONDS = env.float("SCAN_TIMEOUT_SECONDS", default=30.0)
if SCAN_BACKEND and not SCAN_BACKEND.startswith("clamd://"):
    raise ImproperlyConfigured("SCAN_BACKEND must be clamd://host:port or clamd:///path/of.socket.")

# ---- messages in and out ----
TWILIO_ACCOUNT_SID = env.str("TWILIO_ACCOUNT_SID", default="")
TWILIO_AUTH_TOKEN = env.str("TWILIO_AUTH_TOKEN", default="")
TWILIO_API_BASE_URL = env.str("TWILIO_API_BASE_URL", default="https://api.twilio.com").rstrip("/")
TWILIO_API_KEY_SID = env.str("TWILIO_API_KEY_SID", default="")
TWILIO_API_KEY_SECRET = env.str("TWILIO_API_KEY_SECRET", default="")
TWILIO_TWIML_APP_SID = env.str("TWILIO_TWIML_APP_SID", default="")
TWILIO_MESSAGING_SERVICE_SID = env.str("TWILIO_MESSAGING_SERVICE_SID", default="")
# What carries the sound of people's calls: a device of Twilio in the browser, a silent one, or nothing.
_HAS_DEVICES = bool(TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET and TWILIO_TWIML_APP_SID)
SOFTPHONE = "simulated" if SIMULATOR else "twilio" if _HAS_DEVICES else ""
PROVIDER_TIMEOUT_SECONDS = env.float("PROVIDER_TIMEOUT_SECONDS", default=10.0)
DEFAULT_PHONE_REGION = env.str("DEFAULT_PHONE_REGION", default="US")
# Countries whose numbers may be called, ISO 3166; without any the one that numbers are at home in.
CALL_COUNTRIES = env.list("CALL_COUNTRIES", default=[]) or [DEFAULT_PHONE_REGION]
if not all(len(country) == 2 and country.isupper() for country in CALL_COUNTRIES):
    raise ImproperlyConfigured("CALL_COUNTRIES must be codes such as US,CA,ES.")
vars().update(environ.Env.email_url_config(env.str("EMAIL_URL", default=f"smtp://127.0.0.1:{SIMULATOR_SMTP_PORT}")))
EMAIL_BACKEND = env.str("EMAIL_BACKEND", default="django.core.mail.backends.smtp.EmailBackend")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Aurora Health <care@aurora.example>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
ANYMAIL = env.json("ANYMAIL", default={})
# Seconds somebody may be signed out or give no sign of life until patients who wait for them go back to the queue.
WORK_RETURNS_AFTER_SECONDS = env.int("WORK_RETURNS_AFTER_SECONDS", default=900)
OVERLOAD_WAITING = env.int("OVERLOAD_WAITING", default=40)  # so many wait for anybody: the list says what to do first
LATE_AFTER_SECONDS = env.int("LATE_AFTER_SECONDS", default=1800)  # longer than this nobody should wait for us
MAIL_UNDO_SECONDS = env.int("MAIL_UNDO_SECONDS", default=10)  # a mail can be taken back so long
REOPEN_WINDOW_HOURS = env.int("REOPEN_WINDOW_HOURS", default=72)
# How many workers one provider may hold: with a hanging one, the others still serve everything else.
OUTBOX_SLOTS = env.int("OUTBOX_SLOTS", default=max(1, env.int("WORKER_PROCESSES", default=2) - 1))
OUTBOX_STALE_SECONDS = env.int("OUTBOX_STALE_SECONDS", default=60)
OUTBOX_SETTLE_SECONDS = env.int("OUTBOX_SETTLE_SECONDS", default=15)  # a doubtful send may still show up
OUTBOX_ALARM_SECONDS = env.int("OUTBOX_ALARM_SECONDS", default=300)
OWN_PAGE_CODES_PER_NETWORK = env.int("OWN_PAGE_CODES_PER_NETWORK", default=10)  # in ten minutes
OWN_PAGE_TRIES_PER_NETWORK = env.int("OWN_PAGE_TRIES_PER_NETWORK", default=30)
PUBLIC_FORM_LIMIT = env.int("PUBLIC_FORM_LIMIT", default=10)  # submissions per minute and address
MAX_TASK_ATTEMPTS = 5

# ---- API ----
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["contact_center.accounts.api_auth.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["contact_center.accounts.api_auth.HasScope"],
    "DEFAULT_PAGINATION_CLASS": "contact_center.common.pagination.NewestFirstCursorPagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["contact_center.common.api.StrictJSONParser"],
    "DEFAULT_THROTTLE_RATES": {"public_form": "20/min"},
    "PAGE_SIZE": 50,
    "EXCEPTION_HANDLER": "contact_center.common.api.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
MIGRATION_MODULES = {"knox": None}  # its own token table would stand empty beside ours
KNOX_TOKEN_MODEL = "accounts.ApiKey"  # noqa: S105
REST_KNOX = {"TOKEN_TTL": None, "TOKEN_MODEL": "accounts.ApiKey", "AUTO_REFRESH": False}
UNFOLD = {"SITE_TITLE": "Continuo", "SITE_HEADER": "Continuo", "SITE_SYMBOL": "tune", "SITE_URL": "/"}
SPECTACULAR_SETTINGS = {
    "TITLE": "Continuo API",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "InteractionStatus": "inbox.enums.InteractionStatus",
        "MessageStatus": "inbox.enums.MessageStatus",
        "CaseStatus": "inbox.enums.CaseStatus",
        "EventStatus": "inbox.enums.EventStatus",
        "ChannelKind": "inbox.enums.ChannelKind",
        "MessageKind": "inbox.enums.MessageKind",
        "EventKind": "inbox.enums.EventKind",
        "ClockKind": "inbox.enums.ClockKind",
        "Priority": "inbox.enums.Priority",
        "ContactScheme": "patients.enums.ContactScheme",
        "ContactChannel": "patients.enums.ContactChannel",
        "ConsentPurpose": "patients.enums.ConsentPurpose",
        "ConsentStatus": "patients.enums.ConsentStatus",
        "MessagePurpose": "inbox.enums.MessagePurpose",
        "AppointmentStatus": "scheduling.enums.AppointmentStatus",
        "VisitMode": "scheduling.enums.VisitMode",
        "Weekday": "inbox.enums.Weekday",
        "VisitParty": "scheduling.enums.Party",
    },
}

# ---- logs: ids only, never names, numbers or text ----
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "contact_center.common.logs.formatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "twilio.http_client": {"level": "WARNING"},
        "celery": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "django_structlog": {"level": "WARNING"},
        "mail.log": {"level": "ERROR"},
        "axes": {"level": "ERROR"},
    },
}
# W006: failures count by the address that was tried, which no rotating of IPs or agents changes.
SILENCED_SYSTEM_CHECKS = ["axes.W001", "axes.W004", "axes.W006", "templates.W003"]
