"""Addresses of long work."""

from django.urls import path

from contact_center.jobs import views

app_name = "jobs"
urlpatterns = [
    path("jobs/", views.job_list, name="list"),
    path("jobs/<int:pk>/", views.job_page, name="job"),
    path("jobs/<int:pk>/stop/", views.stop, name="stop"),
    path("jobs/<int:pk>/again/", views.again, name="again"),
    path("jobs/<int:pk>/file/", views.file, name="file"),
]
