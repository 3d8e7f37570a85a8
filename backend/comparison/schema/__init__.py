"""The comparison of a study's arms as data: what the API serves, the charts draw and the report quotes.

Words as in the design: an arm is the unit of every mean and interval. `None` stands for a number that does not exist.
Lists of one `Curve` have equal length: one entry for each step at which any run of the arm was evaluated.
"""

from backend.shared.specs import Clock

from .arm import ArmComparison, Compute, Counts, Overfitting, RunInArm, RunOnset, SiteShown, Stopped, StoppedStep
from .base import Band, Decision, Numbers, Part, SeriesName, XAxis
from .elsewhere import ArmChange, Change, ChangeDifference, Elsewhere, FurtherSet, MeasuredChange
from .measured import Curve, Difference, Estimate, Pair, Quantity, SeedValue, Series
from .plan import Look, PlanShown, Verdict, VerdictKind
from .whole import (
    Answer,
    BestOf,
    Comparison,
    CrossFitted,
    Further,
    Pairwise,
    PaperNumbers,
    PaperRow,
    Progress,
    Selected,
    Selection,
    StudyVerdict,
    Take,
    VerdictLine,
)

__all__ = [
    "Answer",
    "ArmChange",
    "ArmComparison",
    "Band",
    "BestOf",
    "Change",
    "ChangeDifference",
    "Clock",
    "Comparison",
    "Compute",
    "Counts",
    "CrossFitted",
    "Curve",
    "Decision",
    "Difference",
    "Elsewhere",
    "Estimate",
    "Further",
    "FurtherSet",
    "Look",
    "MeasuredChange",
    "Numbers",
    "Overfitting",
    "Pair",
    "Pairwise",
    "PaperNumbers",
    "PaperRow",
    "Part",
    "PlanShown",
    "Progress",
    "Quantity",
    "RunInArm",
    "RunOnset",
    "SeedValue",
    "Selected",
    "Selection",
    "Series",
    "SeriesName",
    "SiteShown",
    "Stopped",
    "StoppedStep",
    "StudyVerdict",
    "Take",
    "Verdict",
    "VerdictKind",
    "VerdictLine",
    "XAxis",
]
