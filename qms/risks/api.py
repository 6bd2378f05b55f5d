"""Risks, opportunities and their evaluations under `/api/v1/`."""

from qms.api import Resource
from qms.risks import workflow
from qms.risks.forms import (
    NewOpportunityForm,
    NewRiskForm,
    OpportunityEvaluationForm,
    OpportunityForm,
    RiskEvaluationForm,
    RiskForm,
)
from qms.risks.models import Opportunity, OpportunityEvaluation, Risk, RiskEvaluation

SHOWN = (
    "number",
    *workflow.FIELDS,
    "status",
    "first",
    "second",
    "score",
    "evaluated_on",
    "decision",
    "because",
    "verdict",
    "closed_on",
)
EVALUATED = ("first", "second", "score", "why", "after", "evaluated_on")
risks = Resource(
    "risks",
    Risk,
    fields=SHOWN,
    form=NewRiskForm,
    edit_form=RiskForm,
    create=workflow.identify_risk,
)
opportunities = Resource(
    "opportunities",
    Opportunity,
    fields=SHOWN,
    form=NewOpportunityForm,
    edit_form=OpportunityForm,
    create=workflow.identify_opportunity,
)
risk_evaluations = Resource(
    "risk-evaluations",
    RiskEvaluation,
    fields=("risk", *EVALUATED),
    form=RiskEvaluationForm,
    create=workflow.evaluate_risk_again,
    related=("risk",),
)
opportunity_evaluations = Resource(
    "opportunity-evaluations",
    OpportunityEvaluation,
    fields=("opportunity", *EVALUATED),
    form=OpportunityEvaluationForm,
    create=workflow.evaluate_opportunity_again,
    related=("opportunity",),
)
