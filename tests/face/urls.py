"""The program's addresses and the gallery, which is routed in debug mode only."""

from django.urls import include, path

from qms.gallery import gallery

urlpatterns = [path("gallery/", gallery, name="gallery"), path("", include("qms.urls"))]
