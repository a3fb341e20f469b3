"""Pages of the agenda."""

from django.urls import path

from scheduling import offer_views, patient_views, views

app_name = "scheduling"
urlpatterns = [
    path("v/<str:token>/", patient_views.link, name="link"),
    path("o/<str:token>/", offer_views.offer, name="offer"),
    path("schedule/", views.day, name="day"),
    path("patients/<int:patient_id>/visits/book/", views.find_time, name="book"),
    path("visits/<int:appointment_id>/", views.visit, name="visit"),
    path("visits/<int:appointment_id>/move/", views.find_other_time, name="move"),
    path("visits/<int:appointment_id>/cancel/", views.cancel_visit, name="cancel"),
    path("visits/<int:appointment_id>/<str:verb>/", views.change, name="change"),
]
