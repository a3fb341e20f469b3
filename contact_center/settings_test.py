"""Only what tests must override."""

import os

os.environ.setdefault("DEBUG", "1")
os.environ.setdefault("SIMULATOR", "1")
# Programs that tests start inherit these two, whatever their DEBUG says.
os.environ.setdefault("FIELD_KEYS", "test:dGVzdHMgb25seSwgdGhlc2UgYXJlIDMyIGJ5dGVzISE=")
os.environ.setdefault("SECOND_FACTOR_REQUIRED", "0")
os.environ.setdefault("TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000de0")
os.environ.setdefault("TWILIO_AUTH_TOKEN", "demo-auth-token-not-a-secret")

from contact_center.settings import *  # noqa: F403

DEBUG = False
SOFTPHONE = ""  # a test that wants a telephone says so
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {  # type: ignore[assignment]
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CELERY_TASK_ALWAYS_EAGER = False
LOG_LEVEL = "WARNING"
