"""What Django is told. What an operator may decide stands in `core.settings`, reachable as `settings.STRONGROOM`."""

from urllib.parse import urlsplit

from strongroom.core.settings import Settings
from strongroom.runtime import databases, environment, logging, secrets, static_headers

STRONGROOM: Settings = environment.load()

SECRET_KEY = secrets.django_secret_key(STRONGROOM.home)
DEBUG = False
ALLOWED_HOSTS = [
    str(urlsplit(STRONGROOM.web_url).hostname),
    *STRONGROOM.allowed_hosts,
    "localhost",
    "127.0.0.1",
    "[::1]",
]

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "lucide",
    "strongroom.db",
    "strongroom.console",
]
AUTH_USER_MODEL = "strongroom.Person"
# Second factors are allauth's rows; none of its pages is served.
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
MFA_ADAPTER = "strongroom.runtime.mfa_adapter.EncryptingAdapter"
MFA_RECOVERY_CODE_DIGITS = 12
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

ROOT_URLCONF = "strongroom.runtime.urls"
APPEND_SLASH = False
MIDDLEWARE = [
    "strongroom.runtime.middleware.request_facts",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # The API sets a stricter policy of its own, which this one leaves alone.
    "csp.middleware.CSPMiddleware",
    "django.middleware.common.CommonMiddleware",
    "strongroom.api.middleware.api_answers",
    # For the console only: the API knows bearer tokens alone, and touches none of these.
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.csrf",
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "strongroom.console.context.layout",
            ],
            "builtins": ["django.templatetags.i18n", "strongroom.console.templatetags.console"],
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/"

# Found in the installed packages, so that nothing has to be collected; addresses change with the content.
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 365 * 24 * 3600
WHITENOISE_ADD_HEADERS_FUNCTION = static_headers.add

# Nothing is inline and nothing comes from elsewhere.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

DATABASES = {"default": databases.configuration(STRONGROOM)}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "strongroom_cache",
        # With the default of 300, refusals from many addresses would push out those of one that guesses.
        "OPTIONS": {"MAX_ENTRIES": 1_000_000},
    }
}

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]  # CONTRIBUTING says how to add one; with a second, LocaleMiddleware chooses

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
_IS_HTTPS = STRONGROOM.web_url.startswith("https://")
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _IS_HTTPS else 0
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _IS_HTTPS
SESSION_COOKIE_NAME = "strongroom_session"
# The row of `strongroom.actions.browsing` says how long somebody is signed in; the cookie only lasts as long.
SESSION_COOKIE_AGE = STRONGROOM.browser_days * 24 * 3600
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "strongroom.console.errors.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CSRF_TRUSTED_ORIGINS = [STRONGROOM.web_url]

# Attachments are streamed by their own endpoint; nothing else has a large body.
DATA_UPLOAD_MAX_MEMORY_SIZE = 7_000_000  # a thousand digests of the longest keys, however their letters are escaped
# Not /tmp, which may be memory; the files there have no name and vanish with the process.
FILE_UPLOAD_TEMP_DIR = STRONGROOM.home / "uploads"
FILE_UPLOAD_TEMP_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
FILE_UPLOAD_PERMISSIONS = 0o600
# Never more than an attachment may have, whoever sends it to whichever path.
FILE_UPLOAD_HANDLERS = ["strongroom.api.uploads.LimitedUpload"]

LOGGING_CONFIG = None
logging.configure(STRONGROOM.log_level)
