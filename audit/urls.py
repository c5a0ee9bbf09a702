"""«Pruebas de auditoría»."""

from django.urls import path

from audit import views

app_name = "audit"
urlpatterns = [
    path("", views.events, name="events"),
    path("sello/", views.seal, name="seal"),
    path("<int:event_id>/", views.event, name="event"),
]
