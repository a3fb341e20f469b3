"""Pages of complaints."""

from django.urls import path

from complaints import views

app_name = "complaints"
urlpatterns = [
    path("complaints/", views.complaint_list, name="list"),
    path("complaints/new/", views.register, name="new"),
    path("complaints/protected/", views.find_protected, name="protected"),
    path("complaints/<int:pk>/", views.complaint, name="complaint"),
    path("complaints/<int:pk>/<str:verb>/", views.move, name="move"),
]
