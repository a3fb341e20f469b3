"""The product's own settings for the programs of the journeys; static files are served from where they lie."""

from tests.faults.settings import *  # noqa: F403

ROOT_URLCONF = "contact_center.urls"
WHITENOISE_USE_FINDERS = True
SOFTPHONE = "simulated"
MAIL_UNDO_SECONDS = 0  # stories about delivery do not wait for a hold that has tests of its own
