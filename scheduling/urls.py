"""Pages of the agenda."""

from django.urls import path

from scheduling import (
    absence_views,
    agenda_views,
    booking_views,
    calendar_views,
    capacity_views,
    group_views,
    offer_views,
    patient_views,
    series_views,
    views,
)

app_name = "scheduling"
urlpatterns = [
    path("v/<str:token>/", patient_views.link, name="link"),
    path("o/<str:token>/", offer_views.offer, name="offer"),
    path("book/", booking_views.choose, name="self-book"),
    path("book/wait/", booking_views.wait, name="self-wait"),
    path("book/<str:token>/", booking_views.finish, name="self-book-finish"),
    path("calendars/<str:token>/", calendar_views.calendar, name="calendar"),
    path("practitioners/<int:practitioner_id>/calendar/", calendar_views.feed, name="feed"),
    path("schedule/", agenda_views.agenda, name="day"),
    path("schedule/capacity/", capacity_views.overview, name="capacity"),
    path("schedule/capacity/<str:kind>/<int:row_id>/<str:verb>/", capacity_views.change, name="capacity-change"),
    path("schedule/groups/<int:pk>/", group_views.group, name="group"),
    path("schedule/absences/", absence_views.overview, name="absences"),
    path("schedule/absences/<int:pk>/", absence_views.mass_move, name="mass-move"),
    path("patients/<int:patient_id>/waitlist/", capacity_views.wait, name="wait"),
    path("patients/<int:patient_id>/visits/book/", views.find_time, name="book"),
    path("patients/<int:patient_id>/visits/series/", series_views.series, name="series"),
    path("visits/<int:appointment_id>/", views.visit, name="visit"),
    path("visits/<int:appointment_id>/move/", views.find_other_time, name="move"),
    path("visits/<int:appointment_id>/cancel/", views.cancel_visit, name="cancel"),
    path("visits/<int:appointment_id>/following/", series_views.following, name="following"),
    path("visits/<int:appointment_id>/<str:verb>/", views.change, name="change"),
]
