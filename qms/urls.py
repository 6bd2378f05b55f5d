"""Every address of the program; each chapter keeps its own part."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path

from qms.api import api
from qms.gallery import gallery

DOCUMENTATION = {"openapi-json", "openapi-view", "api-root"}


def answering_for_itself(urls: Any) -> Any:
    """The API knows its own callers: without a token or session it says 401, it leads nowhere.

    Its documentation stays a page of ours, for people who are signed in.
    """
    for pattern in urls[0]:
        if pattern.name not in DOCUMENTATION:
            pattern.callback = login_not_required(pattern.callback)
    return urls


urlpatterns = [
    path("", include("qms.health")),
    path("", include("qms.home.urls")),
    path("gallery/", gallery, name="gallery"),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", answering_for_itself(api.urls)),
    path("people/", include("qms.people.urls")),
    path("files/", include("qms.files.urls")),
    path("outbox/", include("qms.outbox.urls")),
    path("actions/", include("qms.actions.urls")),
    path("competence/", include("qms.competence.urls")),
    path("suggestions/", include("qms.suggestions.urls")),
    path("scope/", include("qms.scope.urls")),
    path("", include("qms.risks.urls")),
    path("changes/", include("qms.changes.urls")),
    path("providers/", include("qms.providers.urls")),
    path("equipment/", include("qms.equipment.urls")),
    path("customers/", include("qms.customers.urls")),
    path("survey/", include("qms.customers.survey_urls")),
    path("gap/", include("qms.gap.urls")),
    path("readiness/", include("qms.gap.readiness_urls")),
    path("", include("qms.journey.urls")),
    path("packs/", include("qms.pack.urls")),
    path("verify/", include("qms.pack.verify_urls")),
    path("documents/", include("documents.urls")),
    path("copies/", include("documents.copy_urls")),
    path("objectives/", include("objectives.urls")),
    path("audits/", include("audits.urls")),
    path("calendar-feed/", include("audits.feed_urls")),
    path("nonconformities/", include("capa.urls")),
    path("reviews/", include("reviews.urls")),
]
