"""The one settings file. Everything that differs between installations comes from the environment.

A variable that is missing or wrong names itself: see ``imgsite/checks.py`` for the system checks and
``docs/settings.md`` for the whole list.
"""

import os
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")


def _json_object(name: str, default: dict[str, Any]) -> dict[str, Any]:
    try:
        value = env.json(name, default=default)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise ImproperlyConfigured(f"{name} is no JSON object: it begins with {{ and ends with }}.")
    return value


DEBUG = env.bool("DEBUG", default=False)
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var")))
DATA_DIR.mkdir(parents=True, exist_ok=True)

SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set. Set it to a long random string, or set DEBUG=true for a trial on your own machine."
        )
    SECRET_KEY = "only-for-debug-on-this-machine"

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "gallery",
    "search",
    "imgsite",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "taggit",
    "allauth",
    "allauth.account",
    "simple_history",
    "django_tasks",
    "django_tasks_db",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "imgsite.urls"
WSGI_APPLICATION = "imgsite.wsgi.application"
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
                "django.template.context_processors.i18n",
                "imgsite.context.site",
            ]
        },
    }
]

# --- Database -----------------------------------------------------------------------------------------
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'db.sqlite3'}")}
_database = DATABASES["default"]
_database["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", default=60)
if _database["ENGINE"].endswith("sqlite3"):
    # Tests use a file too: a database in memory tests neither WAL nor locks.
    _database["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
    # WAL lets pages read while the indexing loop writes; IMMEDIATE takes the write lock at BEGIN, so that
    # two writers wait for each other instead of failing half-way.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;",
    }
elif _database["ENGINE"].endswith("postgresql"):
    _database["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "gallery.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"

# --- Accounts and mail --------------------------------------------------------------------------------
# "smtp+tls://user:password@host:587"; without a server no mail is sent, and nobody can reset a password.
_mail = env.email("EMAIL_URL", default="consolemail://" if DEBUG else "dummymail://")
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = _mail["EMAIL_HOST"] or "localhost", _mail["EMAIL_PORT"] or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_USER"] or "", _mail["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.get("EMAIL_USE_TLS", False), _mail.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=10)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("EMAIL_FROM", default="webmaster@localhost")
SIGNUP_OPEN = env.bool("SIGNUP_OPEN", default=True)
ACCOUNT_EMAIL_VERIFICATION = env.str(
    "ACCOUNT_EMAIL_VERIFICATION", default="none" if EMAIL_BACKEND.endswith(".dummy.EmailBackend") else "optional"
)
ACCOUNT_ADAPTER = "gallery.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    name: f"gallery.accounts.forms.{form}"
    for name, form in {
        "login": "LoginForm",
        "signup": "SignupForm",
        "change_password": "ChangePasswordForm",
        "set_password": "SetPasswordForm",
        "reset_password": "ResetPasswordForm",
        "reset_password_from_key": "ResetPasswordKeyForm",
        "add_email": "AddEmailForm",
        "reauthenticate": "ReauthenticateForm",
    }.items()
}
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_AUTHENTICATED_LOGIN_REDIRECTS = False  # whoever was refused a page may sign in as somebody else
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_CHANGE_EMAIL = True

# --- Language -----------------------------------------------------------------------------------------
LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="en")
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_I18N = True
USE_TZ = True

# --- Static files and storage -------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
STATICFILES_DIRS = [path for path in (BASE_DIR / "static" / "dist",) if path.is_dir()]
WHITENOISE_USE_FINDERS = DEBUG
_static_storage = (
    "whitenoise.storage.CompressedManifestStaticFilesStorage"
    if env.bool("STATIC_MANIFEST", default=not DEBUG)
    else "django.contrib.staticfiles.storage.StaticFilesStorage"
)


# How S3 is reached: by files in the bucket, by backups, and by moving files. Without keys the machine's own are used.
S3_CONNECTION = {
    "endpoint_url": env.str("S3_ENDPOINT_URL", default=None),
    "region_name": env.str("S3_REGION", default=None),
    "access_key": env.str("S3_ACCESS_KEY", default=None),
    "secret_key": env.str("S3_SECRET_KEY", default=None),
}


def _file_storage(location: str) -> dict:
    """A private storage: a folder under DATA_DIR, or a prefix of the S3 bucket when S3_BUCKET is set."""
    if not env.str("S3_BUCKET", default=""):
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(DATA_DIR / location), "base_url": None},
        }
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            **S3_CONNECTION,
            "bucket_name": env.str("S3_BUCKET"),
            "location": location,
            "default_acl": None,
            "querystring_auth": True,
            "querystring_expire": 300,
            "file_overwrite": False,
        },
    }


STORAGES = {
    "default": _file_storage("files"),
    "originals": _file_storage("originals"),
    "renditions": _file_storage("renditions"),
    "queries": _file_storage("queries"),
    "staticfiles": {"BACKEND": _static_storage},
}
# How a checked file leaves the application: "stream", "x-accel" (nginx), "x-sendfile" (Apache) or
# "redirect" (signed S3 URL).
FILE_DELIVERY = env.str("FILE_DELIVERY", default="redirect" if env.str("S3_BUCKET", default="") else "stream")
X_ACCEL_PREFIX = env.str("X_ACCEL_PREFIX", default="/protected/")

# --- Jobs ---------------------------------------------------------------------------------------------
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
JOB_SILENT_SECONDS = env.int("JOB_SILENT_SECONDS", default=120)
JOBS_KEPT_DAYS = env.int("JOBS_KEPT_DAYS", default=30)

# --- Moderation ---------------------------------------------------------------------------------------
TAKEDOWN_GRACE_DAYS = env.int("TAKEDOWN_GRACE_DAYS", default=30)
# From how unsafe on (0 to 1) a photo opens blurred for moderators; see docs/moderation.md.
SAFETY_THRESHOLD = env.float("SAFETY_THRESHOLD", default=0.8)
SAFETY_AUTO_REJECT = env.bool("SAFETY_AUTO_REJECT", default=False)

# --- Limits on what is taken in -----------------------------------------------------------------------
MAX_IMAGE_BYTES = env.int("MAX_IMAGE_BYTES", default=25 * 1024 * 1024)
MAX_IMAGE_PIXELS = env.int("MAX_IMAGE_PIXELS", default=60_000_000)
MAX_IMAGE_FRAMES = env.int("MAX_IMAGE_FRAMES", default=500)
MAX_UPLOAD_FILES = env.int("MAX_UPLOAD_FILES", default=200)
IMPORT_MAX_BYTES = env.int("IMPORT_MAX_BYTES", default=2 * 1024**3)
FEED_MAX_BYTES = env.int("FEED_MAX_BYTES", default=64 * 1024 * 1024)
FEED_SECONDS = env.float("FEED_SECONDS", default=60.0)
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = MAX_UPLOAD_FILES + 100  # above our own limit, which says what to do
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "gallery.uploading.CutAboveLimit",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
# Pictures that the server itself fetches from links; MAX_IMAGE_BYTES and the others hold for them, too.
LINK_SEARCH = env.bool("LINK_SEARCH", default=True)
LINK_SECONDS = env.float("LINK_SECONDS", default=8.0)
LINK_PORTS = env.list("LINK_PORTS", cast=int, default=[80, 443])
LINK_AT_ONCE = env.int("LINK_AT_ONCE", default=2)
LINK_REFUSED_NETWORKS = env.list("LINK_REFUSED_NETWORKS", default=[])
UNNAMED_FILES_KEPT_HOURS = env.int("UNNAMED_FILES_KEPT_HOURS", default=24)
# Photos of one person that wait for a moderator; more are refused until some are decided.
CONTRIBUTIONS_PENDING = env.int("CONTRIBUTIONS_PENDING", default=20)
RENDITION_WIDTHS = (320, 640, 1280)
RENDITION_QUALITY = {"webp": 80, "jpeg": 82}
# Copies that people export: the choices bound how many files there may be of one photo.
EXPORT_WIDTHS = (160, 320, 480, 640, 800, 1024, 1280, 1600, 2048)
EXPORT_QUALITIES = tuple(range(30, 100, 5))
EXPORTS_KEPT_DAYS = env.int("EXPORTS_KEPT_DAYS", default=7)

# --- The shop -----------------------------------------------------------------------------------------
SITE_NAME = env.str("SITE_NAME", default="Contact Sheet")
ACCOUNT_EMAIL_SUBJECT_PREFIX = f"[{SITE_NAME}] "
SHOP_CURRENCY = env.str("SHOP_CURRENCY", default="EUR")

# --- Search -------------------------------------------------------------------------------------------
# "embedded:" keeps vectors in the database and searches them in this process;
# "elasticsearch://user:password@host:9200" (or "elasticsearch+https://…") uses a cluster.
SEARCH_URL = env.str("SEARCH_URL", default="embedded:")
SEARCH_INDEX_PREFIX = env.str("SEARCH_INDEX_PREFIX", default="imgsite")
SEARCH_TIMEOUT = env.float("SEARCH_TIMEOUT", default=10.0)
SEARCH_CA_CERTS = env.str("SEARCH_CA_CERTS", default="")
SEARCH_INDEX_OPTIONS = _json_object("SEARCH_INDEX_OPTIONS", {"type": "int8_hnsw"})
SEARCH_ENCODER = env.str("SEARCH_ENCODER", default="efficientnet-lite2")
_LITE = "search.encoders.networks.efficientnet_lite.EfficientNetLite"
_TORCHVISION = "search.encoders.networks.torchvision.TorchvisionNetwork"
# Encoders by name; the variable adds to these, or replaces one of the same name.
SEARCH_ENCODERS = {
    "efficientnet-lite0": {"BACKEND": _LITE, "OPTIONS": {"variant": 0}},
    "efficientnet-lite1": {"BACKEND": _LITE, "OPTIONS": {"variant": 1}},
    "efficientnet-lite2": {"BACKEND": _LITE, "OPTIONS": {"variant": 2}},
    "resnet50": {"BACKEND": _TORCHVISION, "OPTIONS": {"model": "resnet50", "weights": "IMAGENET1K_V2"}},
    "vgg16": {"BACKEND": _TORCHVISION, "OPTIONS": {"model": "vgg16", "weights": "IMAGENET1K_V1"}},
    "inception-v3": {"BACKEND": _TORCHVISION, "OPTIONS": {"model": "inception_v3", "weights": "IMAGENET1K_V1"}},
    "efficientnet-b0": {"BACKEND": _TORCHVISION, "OPTIONS": {"model": "efficientnet_b0", "weights": "IMAGENET1K_V1"}},
    "convnext-tiny": {"BACKEND": _TORCHVISION, "OPTIONS": {"model": "convnext_tiny", "weights": "IMAGENET1K_V1"}},
    "vit-b-16": {"BACKEND": _TORCHVISION, "OPTIONS": {"model": "vit_b_16", "weights": "IMAGENET1K_V1"}},
} | _json_object("SEARCH_ENCODERS", {})
ENCODER_DEVICE = env.str("ENCODER_DEVICE", default="auto")
ENCODER_HALF = env.str("ENCODER_HALF", default="auto")
# Finds objects in photos: "" for the bundled method, or "model:path" for a detector of torchvision and its weights.
REGION_DETECTOR = env.str("REGION_DETECTOR", default="")
# From how sure on (0 to 1) what the encoder's network names in a photo is believed; see docs/recognition.md.
RECOGNITION_CONFIDENCE = env.float("RECOGNITION_CONFIDENCE", default=0.5)
# Reads typed words for what they look like; "" turns that off, and words are searched as text alone. See docs/words.md.
TEXT_ENCODER = env.str("TEXT_ENCODER", default="search.text_to_picture.e5.MultilingualE5")
SEARCH_WINDOW = env.int("SEARCH_WINDOW", default=240)
# Sums over photos that are unlike the catalogue, of several people, keep later ones from finding the same few products.
SEARCH_LEARN_OUTSIDE = env.bool("SEARCH_LEARN_OUTSIDE", default=True)
SEARCH_PAGE_SIZE = env.int("SEARCH_PAGE_SIZE", default=24)
SEARCH_FIT_AT = env.int("SEARCH_FIT_AT", default=500)
SEARCH_FIT_LEAST = env.int("SEARCH_FIT_LEAST", default=2_000)
SEARCH_FIT_SAMPLE = env.int("SEARCH_FIT_SAMPLE", default=20_000)
SEARCH_DEEP_DIMENSIONS = env.int("SEARCH_DEEP_DIMENSIONS", default=256)
SEARCH_BATCH = env.int("SEARCH_BATCH", default=32)
SEARCH_LEASE_SECONDS = env.int("SEARCH_LEASE_SECONDS", default=60)
SEARCH_MAX_ATTEMPTS = env.int("SEARCH_MAX_ATTEMPTS", default=5)
SEARCH_KEEP_RETIRED = env.int("SEARCH_KEEP_RETIRED", default=2)
SEARCH_KEEP_RETIRED_HOURS = env.int("SEARCH_KEEP_RETIRED_HOURS", default=1)
SEARCH_RECONCILE_SECONDS = env.int("SEARCH_RECONCILE_SECONDS", default=3600)
TORCH_THREADS = env.int("TORCH_THREADS", default=2)
# Threads of the model wait asleep for each other. If nothing is said OpenMP lets them spin, which takes several times
# the work itself where the indexing loop and the web server share cores. It reads this when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
ENCODER_QUEUE = env.int("ENCODER_QUEUE", default=4)
ENCODER_WAIT_SECONDS = env.float("ENCODER_WAIT_SECONDS", default=8.0)
QUERY_PHOTO_HOURS = env.int("QUERY_PHOTO_HOURS", default=24)
EMBEDDED_WARN_AT = env.int("EMBEDDED_WARN_AT", default=200_000)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "search.api.errors.exception_handler",
    # Addresses are throttled: without a proxy of ours, nobody may name another address than their own.
    "NUM_PROXIES": env.int("NUM_PROXIES", default=1 if env.bool("BEHIND_PROXY", default=False) else 0),
    "DEFAULT_THROTTLE_RATES": {
        "search": env.str("THROTTLE_SEARCH", default="120/min"),
        "photo": env.str("THROTTLE_PHOTO", default="30/min"),
        "report": env.str("THROTTLE_REPORT", default="30/hour"),
        "contribution": env.str("THROTTLE_CONTRIBUTION", default="60/hour"),
        "export": env.str("THROTTLE_EXPORT", default="30/min"),
    },
}
ALLAUTH_TRUSTED_PROXY_COUNT = REST_FRAMEWORK["NUM_PROXIES"]  # sign-ins are throttled by address, too
SPECTACULAR_SETTINGS = {
    "TITLE": "Visual product search",
    "DESCRIPTION": "Search a catalogue by picture, by an image already in it, or by words.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# --- The administration -------------------------------------------------------------------------------
# The contact sheet's paper and ink, from light to dark.
_PAPER_AND_INK = {
    "50": ("#faf9f7", "#f5f3ef"),
    "100": ("#f5f3ef", "#e3dfd8"),
    "200": ("#e3dfd8", "#cdc7bd"),
    "300": ("#cdc7bd", "#aba59b"),
    "400": ("#aba59b", "#857f75"),
    "500": ("#857f75", "#4a4641"),
    "600": ("#625e57", "#33312c"),
    "700": ("#4a4641", "#1f1e1b"),
    "800": ("#33312c", "#1b1a18"),
    "900": ("#1f1e1b", "#151412"),
    "950": ("#151412", "#0e0d0c"),
}
UNFOLD = {
    "SITE_TITLE": SITE_NAME,
    "SITE_HEADER": SITE_NAME,
    "SITE_SUBHEADER": _("Administration, for rare repairs"),
    "SITE_SYMBOL": "photo_library",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("favicon.svg")}],
    "BORDER_RADIUS": "10px",
    "COLORS": {
        "base": {shade: paper for shade, (paper, _ink) in _PAPER_AND_INK.items()},
        "primary": {shade: ink for shade, (_paper, ink) in _PAPER_AND_INK.items()},
    },
}

# --- Security -----------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "blob:", "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}
if env.str("S3_BUCKET", default="") and env.str("S3_ENDPOINT_URL", default=""):
    CONTENT_SECURITY_POLICY["DIRECTIVES"]["img-src"].append(env.str("S3_ENDPOINT_URL"))
# The administration's scripts (Alpine) evaluate expressions in its templates; only administrators ever open it.
ADMIN_CSP = {
    "script-src": [SELF, "'unsafe-eval'"],
    "style-src": [SELF, "'unsafe-inline'"],
    "img-src": [SELF, "data:"],
    "default-src": [SELF],
}
API_DOCS_CSP = {
    "default-src": [SELF],
    "script-src": [SELF, NONCE, "'unsafe-inline'"],
    "style-src": [SELF, "'unsafe-inline'"],
    "img-src": [SELF, "data:"],
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
HTTPS = env.bool("HTTPS", default=not DEBUG)
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
if HTTPS:
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=3600)
    if env.bool("BEHIND_PROXY", default=False):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CACHES = {"default": env.cache("CACHE_URL", default="locmemcache://")}
SILENCED_SYSTEM_CHECKS: list[str] = []

# --- Logging ------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "gallery": {"level": "INFO"},
        "search": {"level": "INFO"},
        "elastic_transport": {"level": "ERROR"},
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
    },
}
