"""«Pruebas de auditoría»."""

from django.urls import path

from audit import views

app_name = "audit"
urlpatterns = [
    path("", views.events, name="events"),
    path("grafica/", views.plot, name="plot"),
    path("filtro/", views.add_filter, name="add-filter"),
    path("nuevos/", views.news, name="news"),
    path("sello/", views.seal, name="seal"),
    path("<int:event_id>/", views.event, name="event"),
]
