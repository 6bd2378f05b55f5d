"""Settings of every environment, read from environment variables only (12-factor).

What a variable means stands in `.env.example`. The demo and the tests use the same file.
"""

import os
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import structlog

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(os.environ.get("VAR_DIR", BASE_DIR / "var"))


def env(name: str, default: str = "") -> str:
    return os.environ.get(name, default)


def env_bool(name: str, default: bool = False) -> bool:
    return env(name, str(default)).strip().lower() in {"1", "true", "yes", "on"}


def env_int(name: str, default: int) -> int:
    return int(env(name, str(default)))


def env_list(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in env(name, default).split(",") if part.strip()]


def database(url: str) -> dict[str, Any]:
    """A Django database from `postgres://user:password@host:port/name`.

    The host may be a folder with a socket, written with %2F; `?sslmode=require` and other
    parameters of libpq go through.
    """
    parts = urlsplit(url)
    # Not `.hostname`: it makes small letters of a folder's capitals.
    place = parts.netloc.rpartition("@")[2]
    host, _, port = place.rpartition(":") if ":" in place.rpartition("]")[2] else (place, "", "")
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", unquote(host).strip("[]")),
        "PORT": port,
        "ATOMIC_REQUESTS": True,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


def broker(url: str) -> str:
    """The broker's address as Celery writes it: a socket is `redis+socket://…?virtual_host=0`."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    number = dict(parse_qsl(parts.query)).get("db", "0")
    return f"redis+socket://{parts.path}?virtual_host={number}"


class Misconfigured(SystemExit):
    """The environment lacks something: the process says so in a sentence and ends with code 1."""


# production (the default: nothing given must never mean something weak), demo, development, test.
MODE = env("QMS_MODE", "production")
MODES = ("production", "demo", "development", "test")
if MODE not in MODES:
    raise Misconfigured(f"QMS_MODE is {MODE!r}. Set it to one of: {', '.join(MODES)}.")
PRODUCTION = MODE == "production"
DEMO = MODE == "demo"
DEBUG = MODE == "development"

REQUIRED = {
    "SECRET_KEY": "a long random text that signs sessions",
    "ALLOWED_HOSTS": "the host names people use, separated by commas",
    "PUBLIC_URL": "the address people use, as in https://qms.example.com",
    "DATABASE_URL": "postgres://user:password@host:5432/name",
    "REDIS_URL": "redis://:password@host:6379/0",
    "EMAIL_HOST": "the mail server that sends reminders",
    "DEFAULT_FROM_EMAIL": "the address reminders come from",
    "PACK_SIGNING_KEY": "64 random hexadecimal digits that sign evidence packs",
}
if PRODUCTION:
    missing = [f"  {name}: {meaning}" for name, meaning in REQUIRED.items() if not env(name)]
    if missing:
        raise Misconfigured(
            "These environment variables are missing; set each and start again:\n"
            + "\n".join(missing)
        )
    if len(env("SECRET_KEY")) < 50:
        raise Misconfigured("SECRET_KEY is shorter than 50 characters. Set a longer random one.")

SOFTWARE_VERSION = "0.1.0"  # as in pyproject.toml; stands in every evidence pack
SECRET_KEY = env("SECRET_KEY", "only-for-development-and-tests-never-for-people-with-data-0000")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1],testserver")
PUBLIC_URL = env("PUBLIC_URL", "http://localhost:8000").rstrip("/")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
# How many proxies of ours stand in front and say whom they were asked by; nobody else is believed.
TRUSTED_PROXIES = env_int("TRUSTED_PROXIES", 0)

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",  # its widgets' templates, which ours may replace
    "simple_history",
    "pgtrigger",
    "django_htmx",
    "template_partials",
    "django_filters",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_celery_beat",
    # The ground
    "qms.apps.QmsConfig",
    "qms.people",
    "qms.files",
    "qms.signing",
    "qms.outbox",
    "qms.work",
    "qms.finding",
    "qms.competence",
    "qms.actions",
    "qms.suggestions",
    "qms.scope",
    "qms.risks",
    "qms.changes",
    "qms.providers",
    "qms.equipment",
    "qms.customers",
    "qms.gap",
    "qms.journey",
    "qms.pack",
    "qms.home",
    # The chapters
    "documents",
    "objectives",
    "capa",
    "audits",
    "reviews",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "qms.people.access.AccessEnds",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "qms.scope.current.ZoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]

ROOT_URLCONF = "qms.urls"
WSGI_APPLICATION = "qms.wsgi.application"

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
                "csp.context_processors.nonce",
                "qms.pages.chrome",
            ],
            "builtins": ["qms.templatetags.face"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

DATABASE_URL = env("DATABASE_URL", "postgres://qms@localhost/qms")
DATABASES = {"default": database(DATABASE_URL)}
# The web server keeps a pool for its threads (a connection per request is 2.8 times slower);
# processes that fork, such as a Celery worker, keep one connection each.
POOL = env_int("DATABASE_POOL", 0)
if POOL:
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 1, "max_size": POOL, "timeout": 10}
elif not DEBUG and MODE != "test":
    DATABASES["default"]["CONN_MAX_AGE"] = 60
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env("REDIS_URL", "redis://localhost:6379/0")
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
}

AUTH_USER_MODEL = "people.Person"
AUTHENTICATION_BACKENDS = [
    "qms.people.access.RoleBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_ADAPTER = "qms.people.accounts.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]

LANGUAGE_CODE = "en"
TIME_ZONE = env("TIME_ZONE", "UTC")
# How many months back an auditor's own work counts against auditing it.
AUDIT_LOOK_BACK_MONTHS = env_int("AUDIT_LOOK_BACK_MONTHS", 24)
# The end of certificates to the 2015 edition, and from when no first one names it: to be confirmed.
EDITION_2015_ENDS_ON = date.fromisoformat(env("EDITION_2015_ENDS_ON", "2029-09-30"))
EDITION_2015_NO_FIRST_FROM = date.fromisoformat(env("EDITION_2015_NO_FIRST_FROM", "2028-03-31"))
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
# LibreOffice, which turns office files into PDF; empty: found on the PATH, or none.
SOFFICE = env("SOFFICE", "")
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env("STATIC_ROOT", str(VAR_DIR / "static")))
MEDIA_ROOT = VAR_DIR / "files"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "files": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(VAR_DIR / "files")},
    },
    "staticfiles": {
        # Compressing takes half a minute, which the image pays once and a demo would pay first.
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    },
}

# Without a mail server (demo, development) each mail is a file to look at.
EMAIL_HOST = env("EMAIL_HOST")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'filebased'}.EmailBackend"
EMAIL_PORT = env_int("EMAIL_PORT", 587)
EMAIL_HOST_USER = env("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS", True)
EMAIL_TIMEOUT = 10
EMAIL_FILE_PATH = VAR_DIR / "mail"
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", "qms@localhost")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# The mailbox for reports (IMAP); without a host nothing is read.
IMAP_HOST = env("IMAP_HOST")
IMAP_PORT = env_int("IMAP_PORT", 993)
IMAP_USER = env("IMAP_USER")
IMAP_PASSWORD = env("IMAP_PASSWORD")
IMAP_TLS = env("IMAP_TLS", "tls")
if IMAP_TLS not in ("tls", "starttls"):
    raise Misconfigured(f"IMAP_TLS is {IMAP_TLS!r}. Set it to tls or starttls.")
if IMAP_HOST and not (IMAP_USER and IMAP_PASSWORD):
    raise Misconfigured("IMAP_HOST is set. Set IMAP_USER and IMAP_PASSWORD as well.")
IMAP_FOLDER = env("IMAP_FOLDER", "INBOX")
IMAP_TAKEN_FOLDER = env("IMAP_TAKEN_FOLDER", "Taken up")
IMAP_LEFT_FOLDER = env("IMAP_LEFT_FOLDER", "Not taken up")

# Signs evidence packs (Ed25519); without it, outside production, a key is made at first use.
PACK_SIGNING_KEY = env("PACK_SIGNING_KEY")

SIMPLE_HISTORY_HISTORY_ID_USE_UUID = False

# Celery: the outbox row is the truth, the message only wakes a worker (docs/decisions/0005).
CELERY_BROKER_URL = broker(REDIS_URL)
CELERY_RESULT_BACKEND = CELERY_BROKER_URL  # results in the database are four times slower
CELERY_RESULT_EXPIRES = 24 * 3600
CELERY_TIMEZONE = "UTC"
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A task that kills its worker is not tried again by Celery, where it would loop for ever:
# the outbox counts attempts.
CELERY_TASK_REJECT_ON_WORKER_LOST = False
# Every task ends well within the time after which the broker would hand it to somebody else.
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 300
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A page that publishes must fail fast when the broker is gone: the outbox still has the effect.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1, "interval_max": 0.2}
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
# A waking message can be lost; the outbox is looked at again and again.
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    f"drain-{queue}": {
        "task": "outbox.drain",
        "schedule": 5.0,
        "args": [queue],
        # What waited while no worker ran is done once, not once for each missed beat.
        "options": {"queue": queue, "expire_seconds": 5},
    }
    for queue in ("default", "pack")
} | {
    # Often and harmless: what is due is done once, and a pause is caught up at the next beat.
    "remind": {"task": "work.remind", "schedule": 900.0, "options": {"expire_seconds": 600}},
    "fill-index": {
        "task": "finding.fill",
        "schedule": 300.0,
        "options": {"expire_seconds": 240},
    },
    "take-effect": {
        "task": "documents.take_effect",
        "schedule": 300.0,
        "options": {"expire_seconds": 240},
    },
    "settle-reading": {
        "task": "documents.settle_reading",
        "schedule": 6 * 3600.0,
        "options": {"expire_seconds": 3600},
    },
    "compute-readings": {
        "task": "objectives.compute",
        "schedule": 3600.0,
        "options": {"expire_seconds": 1800},
    },
    "escalate": {
        "task": "actions.escalate",
        "schedule": 3600.0,
        "options": {"expire_seconds": 1800},
    },
    # Does nothing where no mailbox is set.
    "read-mailbox": {
        "task": "capa.read_mailbox",
        "schedule": 120.0,
        "options": {"expire_seconds": 110},
    },
    "lock-overdue": {
        "task": "equipment.lock_overdue",
        "schedule": 900.0,
        "options": {"expire_seconds": 600},
    },
}

# What a browser may do with our pages
SELF, NONE = "'self'", "'none'"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    "camera": ["self"],  # photos of an audit are taken with the phone
    **{
        name: []
        for name in (
            "accelerometer",
            "autoplay",
            "display-capture",
            "encrypted-media",
            "geolocation",
            "gyroscope",
            "magnetometer",
            "microphone",
            "midi",
            "payment",
            "usb",
        )
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600  # a working day
CSRF_COOKIE_SAMESITE = "Lax"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # a form with a dozen full tables
if PRODUCTION:
    SECURE_SSL_REDIRECT = True
    # The proxy of docker-compose.yml sets this header and drops what a client sends.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_REDIRECT_EXEMPT = [r"^healthz/$", r"^readyz/$"]
    SECURE_HSTS_SECONDS = env_int("HSTS_SECONDS", 365 * 24 * 3600)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"

# One readable line for each event
LOG_FORMAT = "json" if PRODUCTION else "plain"
PLAIN_CHAIN = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": PLAIN_CHAIN,
            "processor": structlog.processors.JSONRenderer(),
        },
        "plain": {"format": "%(levelname)s %(name)s: %(message)s"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "qms": {"level": "INFO"},
        "celery": {"level": "INFO"},
        # The outbox is looked at every few seconds; it tells of itself what it did.
        "celery.beat": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
    },
}
