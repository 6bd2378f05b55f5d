"""Pages of nonconforming outputs."""

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_POST

from capa import workflow
from capa.forms import HeldOutputForm, OutputForm
from capa.models import NonconformingOutput
from capa.output_prints import output_pdf as pdf_of
from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.customers.models import Customer
from qms.pages import Column, PathStep
from qms.refusals import Refused
from qms.scope.models import Process

COLUMNS = [
    Column("number", "Number", sort="number", kind="link"),
    Column("what", "What is wrong", sort="what"),
    Column("product", "Product", sort="product"),
    Column("lot", "Lot", sort="lot", shown=False),
    Column("amount", "Quantity"),
    Column("process", "Process", value="process.code", sort="process__code"),
    Column("customer", "Customer", value="customer.name", sort="customer__name", shown=False),
    Column("disposition", "Disposition", value="get_disposition_display", sort="disposition"),
    Column("status", "State", sort="status", kind="state"),
    Column("due", "Due", sort="due", kind="due", settled=lambda each: each.is_settled),
    Column("found_on", "Found", sort="found_on", kind="date"),
    Column("settled_on", "Settled", sort="settled_on", kind="date", shown=False),
]
RELATED = ("process", "site", "customer", "nonconformity")
PEOPLE = ("made_by", "decided_by", "reworked_by", "verified_by", "created_by")


class OutputFilter(django_filters.FilterSet):
    """Filters of the list."""

    what = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    status = django_filters.ChoiceFilter(choices=NonconformingOutput.Status.choices, label="State")
    disposition = django_filters.ChoiceFilter(
        choices=NonconformingOutput.Disposition.choices, label="Disposition"
    )
    process = django_filters.ModelChoiceFilter(queryset=Process.objects.all(), label="Process")
    customer = django_filters.ModelChoiceFilter(queryset=Customer.objects.all(), label="Customer")

    class Meta:
        model = NonconformingOutput
        fields = ("what", "status", "disposition", "process", "customer")


@needs("capa.view_nonconformingoutput")
def output_list(request: HttpRequest) -> HttpResponseBase:
    """Everything that was held back, and what became of it."""
    rows = NonconformingOutput.objects.visible_to(request.user)
    return pages.show_list(
        request,
        rows.select_related("process", "customer"),
        columns=COLUMNS,
        filterset=OutputFilter,
        default_sort="-number",
        title="Nonconforming outputs",
        create_url="capa:output_create",
        create_label="Hold something back",
        empty="Nothing is held back. What is not as required is held here until somebody with the"
        " authority decides about it.",
    )


@needs("capa.view_nonconformingoutput")
def output_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them: what is wrong, what was decided by whom, how it was settled."""
    rows = NonconformingOutput.objects.select_related(*RELATED, *PEOPLE)
    output = pages.find(request, rows, pk=pk)
    return pages.show_record(
        request,
        output,
        template="capa/output_detail.html",
        title=output.what,
        crumbs=[("Nonconforming outputs", "capa:output_list")],
        path=path_of(output),
        due=output.due,
        settled=output.is_settled,
        may_raise=output.status != "void"
        and request.user.has_perm("capa.add_nonconformity")
        and request.user.has_perm("capa.change_nonconformingoutput"),
    )


def path_of(output: NonconformingOutput) -> list[PathStep]:
    """Held, decided, verified again where it was reworked, settled."""
    if output.status == "void":
        return [PathStep("Held", "done", output.found_on), PathStep("Void", "now")]
    reworked = output.disposition == "rework"
    order = ["held", "decided", *(["reworked"] if reworked else []), "settled"]
    at = order.index(output.status) if output.status in order else len(order)
    names = {
        "held": ("Disposition", output.decided_on),
        "decided": ("Rework" if reworked else "Carried out", None),
        "reworked": ("Verified again", None),
        "settled": ("Settled", output.settled_on),
    }
    steps = [PathStep("Held", "done", output.found_on)]
    for place, key in enumerate(order[:-1]):
        name, day = names[key]
        now = output.due if at == place and output.due else ""
        how = "done" if at > place else "now" if at == place else "later"
        steps.append(PathStep(name, how, (day if at > place and day else now) or ""))
    done = at >= len(order)
    last = output.get_status_display() if done else "Settled"
    return [*steps, PathStep(last, "done" if done else "later", output.settled_on or "")]


@needs("capa.add_nonconformingoutput")
def output_create(request: HttpRequest) -> HttpResponse:
    """Hold back what is not as required."""
    return pages.edit(
        request,
        form_class=HeldOutputForm,
        create=workflow.hold_output,
        title="Hold something back",
        context={
            "submit": "Hold it back",
            "intro": "Mark it and put it aside, so that nobody uses it. Somebody with the authority"
            " then decides what becomes of it.",
        },
    )


@needs("capa.change_nonconformingoutput")
def output_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what is recorded, with the reason."""
    output = pages.find(request, NonconformingOutput.objects, pk=pk)
    return pages.edit(
        request, form_class=OutputForm, instance=output, title=f"Edit {output.number}"
    )


@needs(ANYONE_SIGNED_IN)
def output_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Decide, rework, verify again, release, remove."""
    rows = NonconformingOutput.objects.select_related("process")
    return pages.do_transition(request, pages.find(request, rows, pk=pk), name)


@needs("capa.view_nonconformingoutput")
def output_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """One nonconforming output as a PDF."""
    rows = NonconformingOutput.objects.select_related(*RELATED, *PEOPLE)
    output = pages.find(request, rows, pk=pk)
    return pages.send_pdf(pdf_of(output), output.number)


@needs("capa.change_nonconformingoutput")
@require_POST
def output_raise(request: HttpRequest, pk: int) -> HttpResponse:
    """Raise a nonconformity from what was held back."""
    output = pages.find(request, NonconformingOutput.objects.select_related(*RELATED), pk=pk)
    try:
        made = workflow.raise_from_output(output, by=request.user)
    except Refused as refusal:
        return pages.refused(request, refusal)
    return pages.go_to(request, made.get_absolute_url())
