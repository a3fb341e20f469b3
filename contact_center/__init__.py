"""Project and composition root."""

from contact_center.celery import app as celery_app

__all__ = ["celery_app"]
