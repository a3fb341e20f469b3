"""The product's own settings for real programs under test; only what a test must shorten or spare differs."""

import os

from contact_center.settings import *  # noqa: F403

ROOT_URLCONF = "tests.faults.urls"
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
GAP_CHECK_SECONDS = float(os.environ.get("GAP_CHECK_SECONDS", "240"))
