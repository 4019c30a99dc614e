"""All settings, read from the environment. docs/settings.md documents each; a test keeps the two together."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from marketing import beat, env, queues

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = env.flag("DEBUG", False)
# Static files straight from the source folders: no collecting, no hashed names.
STATIC_FROM_SOURCE = env.flag("STATIC_FROM_SOURCE", DEBUG)
SECRET_KEY = env.text("SECRET_KEY", "insecure-development-key-change-me")
# Keys that came before: what they signed is still believed, and nothing new is signed with them.
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
# The first key writes, all keys read: `manage.py rotate_keys` moves everything to the first.
FIELD_KEYS = env.text("FIELD_KEYS", "aW5zZWN1cmUtZGV2ZWxvcG1lbnQta2V5LWNoYW5nZSE=")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
PORT = env.integer("PORT", 8000)
BASE_URL = env.text("BASE_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
# Where /mcp and the streams are answered, and the address that MCP clients are told of.
ASGI_PORT = env.integer("ASGI_PORT", 8001)
MCP_URL = env.text("MCP_URL", f"http://127.0.0.1:{ASGI_PORT}/mcp")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
APP_DATA = Path(env.text("APP_DATA", str(BASE_DIR / "var"))).absolute()

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.google",
    "allauth.socialaccount.providers.twitter_oauth2",
    "guardian",
    "django_htmx",
    "django_structlog",
    "django_celery_beat",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "marketing",
    "accounts",
    "compliance",
    "social",
    "agents",
    "campaigns",
    "analytics",
    "experiments",
    "personal",
    "integrations",
]

MIDDLEWARE = [
    "marketing.health.ProbeMiddleware",
    "marketing.monitoring.middleware.MeterMiddleware",
    "marketing.middleware.SecurityHeadersMiddleware",
    # Before everything that costs time, and before hosts are checked: workspaces bring domains of their own.
    "analytics.tracking.middleware.ShortLinkMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "marketing.middleware.RequestLogMiddleware",
    "accounts.middleware.WorkspacePrefixMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.WorkspaceMiddleware",
    "accounts.middleware.StaffScopeMiddleware",
]

ROOT_URLCONF = "marketing.urls"
WSGI_APPLICATION = "marketing.wsgi.application"
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
                "marketing.context.page_context",
            ],
            "builtins": ["accounts.templatetags.icons", "accounts.templatetags.moments"],
        },
    },
]


# --- stores -----------------------------------------------------------------------------------------------


# PgBouncer in transaction mode stands before the database.
DATABASE_POOLED = env.flag("DATABASE_POOLED", False)


def _database(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", None) or parts.hostname or "",
        "PORT": query.pop("port", None) or parts.port or "",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        # A pooler gives each transaction another connection of the server: a cursor that outlives one is gone.
        "DISABLE_SERVER_SIDE_CURSORS": DATABASE_POOLED,
        "OPTIONS": query,
        "TEST": {"TEMPLATE": "template1"},
    }


def _celery_url(url: str) -> str:
    """Kombu spells a Redis socket differently from redis-py."""
    if not url.startswith("unix://"):
        return url
    parts = urlsplit(url)
    db = parse_qs(parts.query).get("db", ["0"])[-1]
    return f"redis+socket://{parts.path}?virtual_host={db}"


DATABASE_URL = env.text("DATABASE_URL", "postgres://app@127.0.0.1:5432/marketing")
REDIS_URL = env.text("REDIS_URL", "redis://127.0.0.1:6379/0")
DATABASES = {"default": _database(DATABASE_URL)}
# A streaming copy that answers what is long and only read, unless it is further behind than this.
REPLICA_URL = env.text("REPLICA_URL", "")
REPLICA_LAG_S = env.number("REPLICA_LAG_S", 5)
if REPLICA_URL:
    DATABASES["replica"] = _database(REPLICA_URL) | {"TEST": {"MIRROR": "default"}}
    DATABASE_ROUTERS = ["marketing.replica.ReplicaRouter"]
    MIDDLEWARE.append("marketing.replica.ReplicaMiddleware")
# Backups (docs/operations.md): the database past any pooler, and the key that encrypts them, 32 bytes in base64.
BACKUP_DATABASE_URL = env.text("BACKUP_DATABASE_URL", "") or DATABASE_URL
BACKUP_KEY = env.text("BACKUP_KEY", "")
# Where pg_dump and pg_restore lie; empty: those that came with the packages, or of the PATH.
POSTGRES_BIN = env.text("POSTGRES_BIN", "")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        # One that hangs must not hold every request.
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CELERY_BROKER_URL = _celery_url(env.text("BROKER_URL", REDIS_URL))
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_TIME_LIMIT = 600
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
IS_AMQP = CELERY_BROKER_URL.startswith(("amqp", "pyamqp"))
CELERY_TASK_QUEUES = queues.queues(is_amqp=IS_AMQP)
CELERY_TASK_DEFAULT_QUEUE = queues.DEFAULT
CELERY_TASK_ROUTES = queues.routes(is_amqp=IS_AMQP)
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"

MEDIA_ROOT = APP_DATA / "media"
S3_BUCKET = env.text("S3_BUCKET", "")
ARCHIVE_BUCKET = env.text("ARCHIVE_BUCKET", "") or S3_BUCKET
# Of the service; backups go there as well.
S3_OPTIONS = {
    "endpoint_url": env.text("S3_ENDPOINT_URL", "") or None,
    "access_key": env.text("S3_ACCESS_KEY", "") or None,
    "secret_key": env.text("S3_SECRET_KEY", "") or None,
}


def _storage(bucket: str) -> dict[str, object]:
    """Folders below MEDIA_ROOT where there is no bucket."""
    if not S3_BUCKET:
        return {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    options = {**S3_OPTIONS, "bucket_name": bucket, "default_acl": "private", "file_overwrite": True}
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


STORAGES = {
    "default": _storage(S3_BUCKET),
    # What nobody looks at any more, such as old briefs: a bucket of its own may be cheaper.
    "archive": _storage(ARCHIVE_BUCKET),
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if STATIC_FROM_SOURCE
        else "whitenoise.storage.CompressedManifestStaticFilesStorage",
    },
}
STATIC_URL = "/static/"
# An image collects them when it is built, beside the code: APP_DATA is a volume there.
STATIC_ROOT = None if STATIC_FROM_SOURCE else Path(env.text("STATIC_ROOT", str(APP_DATA / "static"))).absolute()
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = STATIC_FROM_SOURCE
# Source folders of a workspace are relative to SOURCES_ROOT/<workspace id>.
SOURCES_ROOT = Path(env.text("SOURCES_ROOT", str(APP_DATA / "sources"))).absolute()
# What the audit chains said on each day. Best on a disk that whoever runs the database cannot write.
AUDIT_ANCHOR_DIR = Path(env.text("AUDIT_ANCHOR_DIR", str(APP_DATA / "anchors"))).absolute()
# Who was erased, by id, for whoever restores a backup; without one, beside the anchors.
ERASURES_FILE = env.text("ERASURES_FILE", "")

# How many proxies of ours add to X-Forwarded-For: what stands before them in it can be forged.
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", 0)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES

# --- people -----------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "accounts.forms.SignupForm"
ACCOUNT_EMAIL_VERIFICATION = env.text("EMAIL_VERIFICATION", "optional")
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key"} if env.flag("RATE_LIMITS", True) else False
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Rostrum"
MFA_ADAPTER = "accounts.adapter.MFAAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_PROVIDERS = {
    "google": {
        "APPS": [
            {
                "client_id": env.text("GOOGLE_CLIENT_ID", ""),
                "secret": env.text("GOOGLE_CLIENT_SECRET", ""),
            }
        ]
        if env.text("GOOGLE_CLIENT_ID", "")
        else []
    },
}
SESSION_COOKIE_NAME = "session"
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"

EMAIL_BACKEND = env.text("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend")
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.integer("EMAIL_PORT", 25)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Rostrum <noreply@localhost>")

# --- language, time, safety -------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
USE_TZ = True
TIME_ZONE = "UTC"
HTTPS = env.flag("HTTPS", False)
SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = ["security.W021"]  # HSTS preload is the operator's decision
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
MEDIA_UPLOAD_MAX_BYTES = env.integer("MEDIA_UPLOAD_MAX_BYTES", 512 * 1024 * 1024)

# --- networks ---------------------------------------------------------------------------------------------

X_API_BASE_URL = env.text("X_API_BASE_URL", "https://api.x.com").rstrip("/")
X_AUTHORIZE_URL = env.text("X_AUTHORIZE_URL", "https://x.com/i/oauth2/authorize")
X_WEB_BASE_URL = env.text("X_WEB_BASE_URL", "https://x.com").rstrip("/")
X_CLIENT_ID = env.text("X_CLIENT_ID", "")
X_CLIENT_SECRET = env.text("X_CLIENT_SECRET", "")
# Signs what X sends to /hooks/x, and answers its challenge.
X_CONSUMER_SECRET = env.text("X_CONSUMER_SECRET", "")
# X wants one app per use case, so bringing keys of one's own is the operator's decision.
X_OWN_KEYS = env.flag("X_OWN_KEYS", False)
X_TIMEOUT_S = env.number("X_TIMEOUT_S", 30)
# App-only: reads the accounts and keywords on watchlists. Empty: nobody watches these here.
X_BEARER_TOKEN = env.text("X_BEARER_TOKEN", "")
TELEGRAM_API_BASE_URL = env.text("TELEGRAM_API_BASE_URL", "https://api.telegram.org").rstrip("/")
TELEGRAM_WEB_BASE_URL = env.text("TELEGRAM_WEB_BASE_URL", "https://t.me").rstrip("/")
# The bot that every workspace may use; without it each brings its own.
TELEGRAM_BOT_TOKEN = env.text("TELEGRAM_BOT_TOKEN", "")
TELEGRAM_TIMEOUT_S = env.number("TELEGRAM_TIMEOUT_S", 60)
# Sessions of people may read chats. Telegram's terms put the risk on the person, so it is the operator's decision.
MTPROTO = env.flag("MTPROTO", False)
# Telegram calls BASE_URL (which it must reach over https) instead of being polled.
TELEGRAM_WEBHOOKS = env.flag("TELEGRAM_WEBHOOKS", False)

# --- addresses that users supply ----------------------------------------------------------------------------

# Networks that may be read although they are not public.
OUTBOUND_ALLOW_CIDRS = env.words("OUTBOUND_ALLOW_CIDRS")

# --- agents -------------------------------------------------------------------------------------------------

# Without a key the sandbox's model answers, and says so.
ANTHROPIC_API_KEY = env.text("ANTHROPIC_API_KEY", "")
ANTHROPIC_BASE_URL = env.text("ANTHROPIC_BASE_URL", "https://api.anthropic.com").rstrip("/")
OPENAI_API_KEY = env.text("OPENAI_API_KEY", "")
OPENAI_BASE_URL = env.text("OPENAI_BASE_URL", "https://api.openai.com/v1").rstrip("/")
GEMINI_API_KEY = env.text("GEMINI_API_KEY", "")
GEMINI_BASE_URL = env.text("GEMINI_BASE_URL", "https://generativelanguage.googleapis.com/v1beta/openai").rstrip("/")
OPENROUTER_API_KEY = env.text("OPENROUTER_API_KEY", "")
OPENROUTER_BASE_URL = env.text("OPENROUTER_BASE_URL", "https://openrouter.ai/api/v1").rstrip("/")
SANDBOX_LLM_URL = env.text("SANDBOX_LLM_URL", "").rstrip("/")
# A catalogue of models of one's own instead of the shipped one.
MODELS_FILE = env.text("MODELS_FILE", str(BASE_DIR / "agents" / "models.yaml"))
# Calls to providers outside this machine. Off in tests: nothing may reach a live provider by accident.
ALLOW_LIVE = env.flag("ALLOW_LIVE", True)
# How long one call to a model may take, all tries together.
MODEL_TIMEOUT_S = env.number("MODEL_TIMEOUT_S", 60)
MODEL_DEADLINE_S = env.number("MODEL_DEADLINE_S", 180)
# A run that a worker holds is given back when the worker has been silent for so long.
RUN_LEASE_S = env.number("RUN_LEASE_S", 60)
RUN_TIMEOUT_S = env.number("RUN_TIMEOUT_S", 3600)
# Runs and steps are kept so long; what they used stands in the ledger for ever.
TRACE_DAYS = env.integer("TRACE_DAYS", 90)
# How many of a hundred ended runs are scored.
EVALUATE_PERCENT = env.integer("EVALUATE_PERCENT", 100)
# Where requests, tasks and ended runs are sent as OpenTelemetry traces: an OTLP/HTTP address that takes JSON, and
# headers as name=value.
OTLP_ENDPOINT = env.text("OTLP_ENDPOINT", "").rstrip("/")
OTLP_HEADERS = env.words("OTLP_HEADERS")
if OTLP_ENDPOINT:
    MIDDLEWARE.insert(
        MIDDLEWARE.index("marketing.middleware.RequestLogMiddleware") + 1, "marketing.tracing.TracingMiddleware"
    )

# --- analytics ----------------------------------------------------------------------------------------------

# Single events are kept so many whole months; their counts by hour and day stay.
EVENT_MONTHS = env.integer("EVENT_MONTHS", 13)
# Networks whose visitors are programs: data centres, and the checkers of one's own.
BOT_CIDRS = env.words("BOT_CIDRS")

# --- personal workspaces ------------------------------------------------------------------------------------

# Prices of symbols: a provider with our wire (docs/personal.md), its key, and what it charges for a call.
DATA_API_BASE_URL = env.text("DATA_API_BASE_URL", "").rstrip("/")
DATA_API_KEY = env.text("DATA_API_KEY", "")
DATA_CALL_COST_MICRO = env.integer("DATA_CALL_COST_MICRO", 0)
DATA_CALLS_PER_S = env.number("DATA_CALLS_PER_S", 10)
# Briefs older than so many days move to cold storage.
BRIEF_ARCHIVE_DAYS = env.integer("BRIEF_ARCHIVE_DAYS", 60)

# --- publishing engine (seconds; docs/engine.md explains how they hang together) -----------------------------

DISPATCH_EVERY_S = env.number("DISPATCH_EVERY_S", 2)
DISPATCH_BATCH = env.integer("DISPATCH_BATCH", 100)
LEASE_S = env.number("LEASE_S", 120)
# How long a platform may still accept a request whose connection broke, and how late it shows it when read.
LATE_ACCEPT_S = env.number("LATE_ACCEPT_S", 20)
READ_LAG_S = env.number("READ_LAG_S", 10)
RETRY_BASE_S = env.number("RETRY_BASE_S", 30)
RETRY_LIMIT = env.integer("RETRY_LIMIT", 6)
# Failures in a row after which an account, or a whole network, is left alone for a while.
BREAKER_CONNECTION = env.integer("BREAKER_CONNECTION", 5)
BREAKER_NETWORK = env.integer("BREAKER_NETWORK", 25)
# What a healthy account sends at most; one that a network has warned sends less.
POSTS_PER_HOUR = env.integer("POSTS_PER_HOUR", 100)
BREAKER_OPEN_S = env.number("BREAKER_OPEN_S", 30)
# Touched while a worker or the scheduler lives, for probes that can only look at files.
ALIVE_FILE = env.text("ALIVE_FILE", "")
# Who may read /metrics: this bearer token; without one only this machine itself.
METRICS_TOKEN = env.text("METRICS_TOKEN", "")
SOURCE_RESCAN_S = env.number("SOURCE_RESCAN_S", 300)
PUBLISHING_LOG_DAYS = env.integer("PUBLISHING_LOG_DAYS", 180)

# --- personal tasks and plans (docs/personal.md) -------------------------------------------------------------

# Turns of periodic tasks that begin in one second, over all workers.
PERIODIC_PER_S = env.number("PERIODIC_PER_S", 50)
# Messages that work on due tasks at the same time, and turns of one workspace in work at once.
PERIODIC_PUMPS = env.integer("PERIODIC_PUMPS", 4)
PERIODIC_PER_WORKSPACE = env.integer("PERIODIC_PER_WORKSPACE", 4)
PERIODIC_LEASE_S = env.number("PERIODIC_LEASE_S", 60)
# The plan of workspaces that have none of their own: free, pro or business.
DEFAULT_PLAN = env.text("DEFAULT_PLAN", "business")
# Who sells plans: empty (staff sets them) or "signed", whose hook at /hooks/billing says what was bought.
BILLING_PROVIDER = env.text("BILLING_PROVIDER", "")
BILLING_CHECKOUT_URL = env.text("BILLING_CHECKOUT_URL", "")
BILLING_PORTAL_URL = env.text("BILLING_PORTAL_URL", "")
BILLING_WEBHOOK_SECRET = env.text("BILLING_WEBHOOK_SECRET", "")

CELERY_BEAT_SCHEDULE = beat.schedule(dispatch_s=DISPATCH_EVERY_S, rescan_s=SOURCE_RESCAN_S)

# --- API --------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api_auth.ApiKeyAuthentication",
        "accounts.api_auth.JWTAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.parsing.ShallowJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "accounts.paging.CursorPages",
    "DEFAULT_SCHEMA_CLASS": "accounts.schema.ProblemSchema",
    "DEFAULT_THROTTLE_CLASSES": ["accounts.throttling.CallerThrottle"],
    "DEFAULT_THROTTLE_RATES": {
        "caller": env.text("API_RATE", "600/min"),
        "auth": env.text("API_AUTH_RATE", "20/min"),
    },
    "EXCEPTION_HANDLER": "accounts.problems.problem_handler",
    "PAGE_SIZE": 50,
    "NUM_PROXIES": TRUSTED_PROXIES,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "AUDIENCE": "api",
    "ISSUER": "rostrum",
    "UPDATE_LAST_LOGIN": False,
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=30),
    # A new password ends every token that was given out before.
    "CHECK_REVOKE_TOKEN": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Rostrum API",
    "VERSION": "1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "marketing.api_document.add_examples",
    ],
    # Fields of one name with other choices each: otherwise the document names them by a number.
    "ENUM_NAME_OVERRIDES": {
        "ApprovalModeEnum": "campaigns.models.AutonomyPolicy.Mode",
        "AllocationEnum": "experiments.models.Experiment.Allocation",
        "CampaignStatusEnum": "campaigns.models.Campaign.Status",
        "ConsentStateEnum": "compliance.models.Consent.State",
        "ConversationKindEnum": "campaigns.models.Conversation.Kind",
        "ConversationStatusEnum": "campaigns.models.Conversation.Status",
        "DeliveryStateEnum": "campaigns.models.Delivery.State",
        "DesignEnum": "experiments.models.Experiment.Design",
        "ImportStatusEnum": "campaigns.models.Import.Status",
        "PeriodicModeEnum": "agents.models.PeriodicTask.Mode",
        "PrivacyKindEnum": "compliance.models.PrivacyRequest.Kind",
        "PostLanguageEnum": "campaigns.draft_checks.LANGUAGES.items",
        "ProjectKindEnum": "campaigns.models.Source.Kind",
        "RecurrenceKindEnum": "campaigns.models.Recurrence.Kind",
        "ReportLanguageEnum": "analytics.reporting.services.LANGUAGES.items",
        "ReviewStatusEnum": "compliance.models.Review.Status",
        "RunStatusEnum": "agents.models.Run.Status",
        "SnippetKindEnum": "campaigns.models.Snippet.Kind",
        "SnapshotKindEnum": "analytics.models.Snapshot.Kind",
        "TermKindEnum": "compliance.models.WorkspaceTerm.Kind",
        "VerdictEnum": ["allow", "review", "block"],
    },
}

# --- logs -------------------------------------------------------------------------------------------------

LOG_LEVEL = env.text("LOG_LEVEL", "INFO")
LOG_FORMAT = env.text("LOG_FORMAT", "text" if DEBUG else "json")
DJANGO_STRUCTLOG_CELERY_ENABLED = True
from marketing.logs import logging_config  # noqa: E402  (needs the two lines above)

LOGGING = logging_config(LOG_LEVEL, LOG_FORMAT)
DEFAULT_EXCEPTION_REPORTER_FILTER = "marketing.error_reports.SecretFreeReports"

UNFOLD = {
    "SITE_TITLE": "Rostrum staff",
    "SITE_HEADER": "Rostrum",
    "SITE_SUBHEADER": "Staff moderation",
    "DASHBOARD_CALLBACK": "campaigns.moderation.dashboard",
    "SHOW_HISTORY": True,
}
