"""What pages and reports show of how a cause was looked for."""

from typing import Any

from capa import fishbone, whys
from capa.models import CauseAnalysis, EightD, Nonconformity
from capa.workflow import team_of, whys_of


def cause_context(nc: Nonconformity) -> dict[str, Any]:
    """The whys branch by branch, the picture, the comparing table, the 8D, and the soft word."""
    analysis: CauseAnalysis | None = getattr(nc, "cause_analysis", None)
    eight_d: EightD | None = getattr(nc, "eight_d", None)
    rows = whys_of(nc)
    last = nc.root_cause or " ".join(whys.roots(rows))
    drawn = analysis is not None and analysis.has_fishbone
    return {
        "whys": rows,
        "analysis": analysis,
        "fishbone": fishbone.draw(nc.title, analysis.branches()) if drawn and analysis else None,
        "is_is_not": analysis.is_is_not if analysis else [],
        "eight_d": eight_d,
        "has_8d": eight_d is not None and not eight_d.omitted_because,
        "team": team_of(eight_d) if eight_d else [],
        "soft_word": whys.soft_word(last) if not nc.is_settled else "",
    }
