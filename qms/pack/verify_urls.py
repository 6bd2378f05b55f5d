"""The address at which anybody confirms a pack's fingerprint."""

from django.urls import path

from qms.pack import views

urlpatterns = [path("<slug:number>/", views.verify, name="verify_pack")]
