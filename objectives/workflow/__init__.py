"""The procedures of indicators, their readings, and the objectives judged by them (6.2, 9.1)."""

from objectives.status import standing_of
from objectives.workflow.analyses import (
    begin_analysis,
    conclude_analysis,
    only_who_analyses,
    plan_action_of,
    void_analysis,
)
from objectives.workflow.computing import compute_due, compute_reading, recompute
from objectives.workflow.control import answer_signal, freeze_limits, take_back_limits
from objectives.workflow.indicators import (
    add_indicator,
    only_who_keeps_it,
    only_who_measures,
    resume,
    retire,
    void_indicator,
)
from objectives.workflow.objectives import (
    CONCLUDE_WITHIN,
    achieve,
    activate,
    is_complete,
    miss,
    only_who_answers,
    set_objective,
    void,
    withdraw,
)
from objectives.workflow.readings import (
    correct,
    record_reading,
    send_readings,
    take_back,
)
from objectives.workflow.sheets import accept, bring_sheet, cancel

__all__ = [
    "CONCLUDE_WITHIN",
    "accept",
    "achieve",
    "activate",
    "add_indicator",
    "answer_signal",
    "begin_analysis",
    "bring_sheet",
    "cancel",
    "compute_due",
    "compute_reading",
    "conclude_analysis",
    "correct",
    "freeze_limits",
    "is_complete",
    "miss",
    "only_who_analyses",
    "only_who_answers",
    "only_who_keeps_it",
    "only_who_measures",
    "plan_action_of",
    "recompute",
    "record_reading",
    "resume",
    "retire",
    "send_readings",
    "set_objective",
    "standing_of",
    "take_back",
    "take_back_limits",
    "void",
    "void_analysis",
    "void_indicator",
    "withdraw",
]
