"""Addresses of documents and their revisions."""

from django.urls import path

from documents import views

app_name = "documents"
urlpatterns = [
    path("", views.document_list, name="document_list"),
    path("new/", views.document_create, name="document_create"),
    path("kinds/", views.kind_rule_list, name="kind_rule_list"),
    path("kinds/<slug:kind>/", views.kind_rule_detail, name="kind_rule_detail"),
    path("kinds/<slug:kind>/edit/", views.kind_rule_edit, name="kind_rule_edit"),
    path("signatories/<int:pk>/edit/", views.signatory_edit, name="signatory_edit"),
    path("<int:pk>/", views.document_detail, name="document_detail"),
    path("<int:pk>/edit/", views.document_edit, name="document_edit"),
    path("<int:pk>/do/<slug:name>/", views.document_transition, name="document_transition"),
    path("<int:pk>/revise/", views.revision_create, name="revision_create"),
    path("revisions/<int:pk>/", views.revision_detail, name="revision_detail"),
    path("revisions/<int:pk>/edit/", views.revision_edit, name="revision_edit"),
    path("revisions/<int:pk>/pdf/", views.revision_pdf, name="revision_pdf"),
    path("revisions/<int:pk>/compare/", views.revision_compare, name="revision_compare"),
    path("revisions/<int:pk>/original.pdf", views.revision_rendition, name="revision_rendition"),
    path(
        "revisions/<int:pk>/do/<slug:name>/",
        views.revision_transition,
        name="revision_transition",
    ),
]
