"""Pages on which the cause of a nonconformity is looked for, and of the full 8D."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from capa import workflow
from capa.forms import CauseTablesForm, EightDForm, NewEightDForm, OmitEightDForm
from capa.models import CauseAnalysis, EightD, Nonconformity
from qms import pages
from qms.access import needs
from qms.refusals import Refused

SETTLED = Refused("The case is settled; open it again before you change its 8D.")


def _answered(request: HttpRequest, pk: int) -> Nonconformity:
    """The case, for whoever answers it."""
    nc: Nonconformity = pages.find(request, Nonconformity.objects, pk=pk)
    if why := workflow.only_who_answers(nc, request.user):
        raise PermissionDenied(why)
    return nc


@needs("capa.answer_nonconformity")
def nc_cause(request: HttpRequest, pk: int) -> HttpResponse:
    """5 whys, Ishikawa, is and is not: begun or gone on with."""
    nc = _answered(request, pk)
    analysis = CauseAnalysis.objects.filter(nonconformity=nc).first()
    create: Any = None
    if analysis is None:

        def create(*, by: Any, **said: Any) -> Nonconformity:
            workflow.begin_analysis(nc, by=by, **said)
            return nc

    return pages.edit(
        request,
        form_class=CauseTablesForm,
        instance=analysis,
        create=create,
        template="capa/cause_form.html",
        title=f"Cause of {nc.number}",
        done=nc.get_absolute_url(),
        context={"intro": nc.title, "cancel_url": nc.get_absolute_url()},
    )


@needs("capa.answer_nonconformity")
def nc_8d(request: HttpRequest, pk: int) -> HttpResponse:
    """The parts of the 8D that the case has not by itself."""
    nc = _answered(request, pk)
    if request.method == "GET" and nc.is_settled:
        return pages.refused(request, SETTLED)
    eight_d = EightD.objects.filter(nonconformity=nc, omitted_because="").first()
    create: Any = None
    if eight_d is None:

        def create(*, by: Any, **said: Any) -> Nonconformity:
            workflow.begin_8d(nc, by=by, **said)
            return nc

    return pages.edit(
        request,
        form_class=EightDForm if eight_d else NewEightDForm,
        instance=eight_d,
        create=create,
        title=f"8D of {nc.number}",
        done=nc.get_absolute_url(),
        context={
            "intro": f"{nc.title}. Containment, causes and actions stand in the case itself.",
            "cancel_url": nc.get_absolute_url(),
        },
    )


@needs("capa.omit_eightd")
def nc_8d_omit(request: HttpRequest, pk: int) -> HttpResponse:
    """Decide that a serious case needs no 8D, for a reason."""
    nc: Nonconformity = pages.find(request, Nonconformity.objects, pk=pk)
    if request.method == "GET" and nc.is_settled:
        return pages.refused(request, SETTLED)

    def decide(*, by: Any, **said: Any) -> Nonconformity:
        workflow.omit_8d(nc, by=by, **said)
        return nc

    return pages.edit(
        request,
        form_class=OmitEightDForm,
        create=decide,
        title=f"No 8D for {nc.number}",
        done=nc.get_absolute_url(),
        context={
            "intro": f"{nc.title}. The reason stays with the case and stands in its report.",
            "submit": "Decide",
            "cancel_url": nc.get_absolute_url(),
        },
    )
