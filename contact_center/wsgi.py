"""HTTP entry point."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contact_center.settings")
application = get_wsgi_application()
# What is loaded by now stays: the collector going through it again and again is a twentieth of what a page costs.
gc.collect()
gc.freeze()
