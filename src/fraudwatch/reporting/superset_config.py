"""Superset's settings. It reads this file itself: SUPERSET_CONFIG_PATH names it.

Secrets have no default: a missing one ends the process with the variable's name.
"""

from __future__ import annotations

import os
from datetime import timedelta

SECRET_KEY = os.environ["SUPERSET_SECRET_KEY"]
# Both features are off; Superset's own values for their keys are public.
GUEST_TOKEN_JWT_SECRET = os.environ["SUPERSET_GUEST_TOKEN_SECRET_KEY"]
GLOBAL_ASYNC_QUERIES_JWT_SECRET = os.environ["SUPERSET_GUEST_TOKEN_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = os.environ["SUPERSET_DATABASE_URL"]
SQLALCHEMY_EXAMPLES_URI = SQLALCHEMY_DATABASE_URI

WTF_CSRF_ENABLED = True
# Cookies are shared by all ports of a host, and Airflow's is called `session`.
SESSION_COOKIE_NAME = "superset_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = os.environ["SUPERSET_COOKIE_SECURE"].lower() == "true"
PERMANENT_SESSION_LIFETIME = timedelta(hours=12)

# Nothing from other hosts: no font and no map tile. The browser refuses the counting picture that
# is built into Superset's menu.
TALISMAN_ENABLED = True
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'", "data:"],
        "script-src": ["'self'", "'strict-dynamic'"],
        "frame-ancestors": ["'none'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,  # TLS, if any, ends before it
    "session_cookie_secure": SESSION_COOKIE_SECURE,
}
THEME_FONT_URL_ALLOWED_DOMAINS: list[str] = []
ENABLE_UI_THEME_ADMINISTRATION = False
MAPBOX_API_KEY = ""
ENABLE_CORS = False
FAB_API_SWAGGER_UI = False

# Limits of charts and exports, in rows.
ROW_LIMIT = 5_000
SAMPLES_ROW_LIMIT = 100
SQL_MAX_ROW = 10_000
FEATURE_FLAGS = {"ALLOW_FULL_CSV_EXPORT": False}

# The setup has its own log.
ALEMBIC_SKIP_LOG_CONFIG = True
PREVENT_UNSAFE_DB_CONNECTIONS = True
AUTH_USER_REGISTRATION = False
# Counts failed logins in memory: there is one process.
RATELIMIT_ENABLED = True
AUTH_RATE_LIMITED = True
AUTH_RATE_LIMIT = "20 per minute"
RATELIMIT_STORAGE_URI = "memory://"
RATELIMIT_APPLICATION = "100 per second"

# A report over the lake may take a minute on a busy machine.
SUPERSET_WEBSERVER_TIMEOUT = 180
# Marts change once a day: the same chart is read once in ten minutes.
DATA_CACHE_CONFIG = {
    "CACHE_TYPE": "FileSystemCache",
    "CACHE_DIR": f"{os.environ['SUPERSET_HOME']}/cache",
    "CACHE_THRESHOLD": 2_000,
    "CACHE_DEFAULT_TIMEOUT": 600,
}
APP_NAME = "Fraudwatch reports"
