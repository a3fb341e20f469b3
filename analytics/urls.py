"""Addresses of figures."""

from django.urls import path

from analytics import views

app_name = "analytics"
urlpatterns = [
    path("board/", views.board, name="board"),
    path("board/rows/", views.rows, name="board-rows"),
    path("board/people/<int:pk>/", views.person, name="board-person"),
]
