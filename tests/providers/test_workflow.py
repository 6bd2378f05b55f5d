"""External providers: evaluated before they are approved, by others, again and again (8.4.1)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from qms import contributions
from qms.periods import Period, add_months, today
from qms.proofs import proofs_for
from qms.providers import workflow
from qms.providers.models import Provider, ProviderEvaluation
from qms.refusals import Refused
from qms.work.models import WorkItem
from qms.workflow import amend
from tests import factories
from tests.scenes import Cast, a_file, a_provider, evaluate

pytestmark = [pytest.mark.django_db, pytest.mark.clause("8.4.1")]


@pytest.fixture
def cast(db: None) -> Cast:
    return Cast()


@pytest.fixture
def provider(cast: Cast) -> Provider:
    return a_provider(cast)


def steps_of(record: Any) -> dict[str, Any]:
    return {each.step: each.due for each in WorkItem.objects.filter(record_id=record.pk)}


def client_of(person: Any) -> Client:
    client = Client()
    client.force_login(person, backend="qms.people.access.RoleBackend")
    return client


def test_an_evaluation_sets_the_next_day_and_the_interval_moves_it(
    cast: Cast, provider: Provider
) -> None:
    assert provider.next_due == today() + timedelta(days=30)
    made = evaluate(cast, provider)
    assert (made.score, made.next_due) == (Decimal(3), add_months(today(), 12))
    provider.refresh_from_db()
    assert (provider.last_on, provider.next_due) == (today(), made.next_due)
    amend(provider, by=cast.owner, changes={"every_months": 6}, reason="More depends on them.")
    assert provider.next_due == add_months(today(), 6)
    soon = today() + timedelta(days=20)
    amend(provider, by=cast.owner, changes={"sooner_on": soon}, reason="A new plant.")
    assert provider.next_due == soon
    assert steps_of(provider)["evaluate"] == soon
    evaluate(cast, provider)
    provider.refresh_from_db()
    assert provider.next_due == add_months(today(), 6), "the wish counted once"


def test_nobody_is_approved_without_an_evaluation_that_says_so(
    cast: Cast, provider: Provider
) -> None:
    with pytest.raises(Refused, match="never evaluated"):
        workflow.approve(provider, by=cast.manager)
    evaluate(cast, provider, "conditions")
    with pytest.raises(Refused, match="suitable with conditions"):
        workflow.approve(provider, by=cast.manager)
    said = {"conditions": "Every lot is checked."}
    workflow.approve_with_conditions(provider, by=cast.manager, **said)
    assert "decide" not in steps_of(provider)
    evaluate(cast, provider, "unsuitable")
    assert {"decide", "evaluate"} <= set(steps_of(provider))
    with pytest.raises(IntegrityError), transaction.atomic():
        Provider.objects.get(pk=provider.pk)
        bare = Provider.objects.get(pk=provider.pk)
        bare.verdict = ""
        bare.save_because("Around.", by=cast.manager)


def test_an_evaluation_is_taken_back_only_where_no_approval_rests_on_it(
    cast: Cast, provider: Provider
) -> None:
    first = evaluate(cast, provider)
    workflow.approve(provider, by=cast.manager)
    with pytest.raises(Refused, match="approval rests on it"):
        workflow.void_evaluation(first, by=cast.manager, reason="Wrong provider.")
    second = evaluate(cast, provider, "unsuitable")
    workflow.void_evaluation(second, by=cast.manager, reason="Wrong provider.")
    provider.refresh_from_db()
    assert (provider.verdict, provider.last_on) == ("suitable", first.evaluated_on)


def test_bad_input_is_refused_in_words(cast: Cast, provider: Provider) -> None:
    good = {
        "evaluated_on": today(),
        "results": {"Delivery": "3"},
        "verdict": "suitable",
        "conclusion": "Good.",
    }
    tomorrow, yesterday = today() + timedelta(days=1), today() - timedelta(days=1)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"evaluated_on": tomorrow}, "still ahead"),
        ({"results": {}}, "at least one criterion"),
        ({"results": {"Delivery": "9"}}, "is no result"),
        ({"conclusion": " "}, "what you conclude"),
        ({"sooner_on": today()}, "comes after this one"),
    ]
    for change, words in wrong:
        with pytest.raises(Refused, match=words):
            workflow.record_evaluation(provider, by=cast.owner, **{**good, **change})
    with pytest.raises(Refused, match="Who speaks for a provider"):
        workflow.record_evaluation(provider, by=cast.everything, **good)
    workflow.record_evaluation(provider, by=cast.owner, **good)
    with pytest.raises(Refused, match="earlier one changes nothing"):
        workflow.record_evaluation(provider, by=cast.owner, **{**good, "evaluated_on": yesterday})
    for months in (0, 121):
        with pytest.raises(Refused, match="1 to 120 months"):
            workflow.propose_provider(
                by=cast.owner, name="X", provides="Y", owner=cast.owner, every_months=months
            )
    many = "\n".join(f"Criterion {n}" for n in range(21))
    with pytest.raises(Refused, match="1 to 20 criteria"):
        amend(provider, by=cast.owner, changes={"criteria": many}, reason="Everything.")
    page = client_of(cast.owner).post(
        f"{provider.get_absolute_url()}edit/", {"every_months": "0", "version": provider.version}
    )
    assert page.status_code == 422
    assert "Give an interval of 1 to 120 months." in page.content.decode()


def test_a_second_provider_of_one_name_is_asked_about_and_not_refused(
    cast: Cast, provider: Provider
) -> None:
    client = client_of(cast.owner)
    form = client.get("/providers/new/").context["form"]
    said = {
        "name": provider.name.upper(),
        "provides": "Seals",
        "kind": "goods",
        "weight": "low",
        "owner": cast.owner.pk,
        "criteria": form["criteria"].value(),
        "every_months": 12,
    }
    asked = client.post("/providers/new/", said)
    page = asked.content.decode()
    assert asked.status_code == 422
    assert f"{provider.number} {provider.name} is there already." in page
    assert 'type="checkbox" name="another"' in page
    assert client.post("/providers/new/", {**said, "another": "on"}).status_code == 303
    assert Provider.objects.filter(name__iexact=provider.name).count() == 2


def test_the_page_asks_the_criteria_of_the_provider_and_keeps_the_evidence(
    cast: Cast, provider: Provider
) -> None:
    client, url = client_of(cast.owner), f"/providers/{provider.pk}/evaluate/"
    form = client.get(url).context["form"]
    labels = [form.fields[name].label for name in form.criteria]
    assert labels == provider.criteria_list
    answer = client.post(
        url,
        {
            "evaluated_on": str(today()),
            "criterion_0": "4",
            "criterion_1": "2",
            "criterion_2": "not_met",
            "verdict": "conditions",
            "conclusion": "Late twice.",
            "papers": a_file("visit.txt"),
        },
    )
    assert answer.status_code == 303
    made = ProviderEvaluation.objects.get()
    assert (made.score, dict(made.results)[labels[2]]) == (Decimal(3), "not_met")
    page = client.get(made.get_absolute_url()).content.decode()
    assert "visit.txt" in page
    assert "3 of 4" in page


@pytest.mark.clause("9.3.2")
def test_the_management_review_and_readiness_are_told(cast: Cast, provider: Provider) -> None:
    evaluate(cast, provider, "unsuitable")
    period = Period(add_months(today(), -1), today())
    (compiled,) = contributions.review_inputs("c7")
    lines = {line.label: line.value for line in compiled.compile(period)}
    assert lines["Found not suitable"] == "1"
    assert lines["Mean score"] == "3.00 of 4"
    assert lines[f"{provider.name}: not suitable"] == "Late once, told in time."
    from qms import clock

    later = clock.now() + timedelta(days=800)
    told = {
        blocker.sentence
        for proofs in proofs_for("2026", later)["8.4.1"]
        for blocker in proofs.blockers
    }
    assert any("was to be evaluated by" in sentence for sentence in told)


def test_a_leaver_hands_providers_over(cast: Cast, provider: Provider) -> None:
    kinds = dict(contributions.holdings_of(cast.owner))
    (holding,) = kinds["External providers"]
    assert holding.why_not(factories.person("employee"))
    assert not holding.why_not(cast.author)
