"""Addresses of documents and their revisions."""

from django.urls import path

from documents.views import copies, documents, keeping, reading, revisions, upkeep, writing

app_name = "documents"
urlpatterns = [
    path("", documents.document_list, name="document_list"),
    path("new/", documents.document_create, name="document_create"),
    path("kinds/", documents.kind_rule_list, name="kind_rule_list"),
    path("kinds/<slug:kind>/", documents.kind_rule_detail, name="kind_rule_detail"),
    path("kinds/<slug:kind>/edit/", documents.kind_rule_edit, name="kind_rule_edit"),
    path("signatories/<int:pk>/edit/", revisions.signatory_edit, name="signatory_edit"),
    path("reading/", reading.reading_matrix_page, name="reading_matrix"),
    path("reading/tasks/", reading.reading_list, name="reading_list"),
    path("reading/<int:pk>/", reading.reading_detail, name="reading_detail"),
    path("reading/<int:pk>/read/", reading.reading_acknowledge, name="reading_acknowledge"),
    path("reading/<int:pk>/do/<slug:name>/", reading.reading_transition, name="reading_transition"),
    path("reviews/", upkeep.review_list, name="review_list"),
    path("simplify/", upkeep.simplify, name="simplify"),
    path("flags/<int:pk>/", upkeep.flag_detail, name="flag_detail"),
    path("flags/<int:pk>/do/<slug:name>/", upkeep.flag_transition, name="flag_transition"),
    path("follow-ups/<int:pk>/", upkeep.followup_detail, name="followup_detail"),
    path(
        "follow-ups/<int:pk>/do/<slug:name>/",
        upkeep.followup_transition,
        name="followup_transition",
    ),
    path("copies/", copies.copy_list, name="copy_list"),
    path("copies/<int:pk>/", copies.copy_detail, name="copy_detail"),
    path("copies/<int:pk>/edit/", copies.copy_edit, name="copy_edit"),
    path("copies/<int:pk>/pdf/", copies.copy_pdf, name="copy_pdf"),
    path("copies/<int:pk>/do/<slug:name>/", copies.copy_transition, name="copy_transition"),
    path("<int:pk>/copy/", copies.copy_create, name="copy_create"),
    path("<int:pk>/readers/", reading.audience_edit, name="audience_edit"),
    path("<int:pk>/", documents.document_detail, name="document_detail"),
    path("<int:pk>/edit/", documents.document_edit, name="document_edit"),
    path("<int:pk>/do/<slug:name>/", documents.document_transition, name="document_transition"),
    path("<int:pk>/revise/", revisions.revision_create, name="revision_create"),
    path("revisions/<int:pk>/", revisions.revision_detail, name="revision_detail"),
    path("revisions/<int:pk>/edit/", revisions.revision_edit, name="revision_edit"),
    path("revisions/<int:pk>/take-over/", writing.revision_take_over, name="revision_take_over"),
    path("revisions/<int:pk>/presence/", writing.revision_presence, name="revision_presence"),
    path("revisions/<int:pk>/picture/", writing.revision_picture, name="revision_picture"),
    path("revisions/<int:pk>/comment/", writing.comment_create, name="comment_create"),
    path("comments/<int:pk>/", writing.comment_detail, name="comment_detail"),
    path(
        "comments/<int:pk>/do/<slug:name>/", writing.comment_transition, name="comment_transition"
    ),
    path("evidence/", keeping.pointer_list, name="pointer_list"),
    path("evidence/new/", keeping.pointer_create, name="pointer_create"),
    path("evidence/<int:pk>/", keeping.pointer_detail, name="pointer_detail"),
    path("evidence/<int:pk>/edit/", keeping.pointer_edit, name="pointer_edit"),
    path(
        "evidence/<int:pk>/do/<slug:name>/", keeping.pointer_transition, name="pointer_transition"
    ),
    path("retention/", keeping.retention, name="retention"),
    path("retention/<int:pk>/propose/", keeping.disposition_create, name="disposition_create"),
    path("holds/new/", keeping.hold_create, name="hold_create"),
    path("holds/<int:pk>/", keeping.hold_detail, name="hold_detail"),
    path("holds/<int:pk>/do/<slug:name>/", keeping.hold_transition, name="hold_transition"),
    path("dispositions/<int:pk>/", keeping.disposition_detail, name="disposition_detail"),
    path(
        "dispositions/<int:pk>/do/<slug:name>/",
        keeping.disposition_transition,
        name="disposition_transition",
    ),
    path("choose/", documents.document_choose, name="document_choose"),
    path("revisions/<int:pk>/pdf/", revisions.revision_pdf, name="revision_pdf"),
    path("revisions/<int:pk>/compare/", revisions.revision_compare, name="revision_compare"),
    path(
        "revisions/<int:pk>/original.pdf", revisions.revision_rendition, name="revision_rendition"
    ),
    path(
        "revisions/<int:pk>/do/<slug:name>/",
        revisions.revision_transition,
        name="revision_transition",
    ),
]
