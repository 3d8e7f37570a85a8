"""What the ledger of a study says, as the API answers it. Losses in the unit of the task; shares from 0 to 1."""

from typing import Literal

from pydantic import Field

from backend.edge.answers import Out
from backend.shared.specs import Clock

from .rows import Split


class Scaled(Out):
    """What one temperature, fitted on rows that it is not judged on, does to the loss: means over the seeds."""

    temperature: float = Field(description="Above 1: the model was too sure of itself. Geometric mean.")
    loss_before: float
    loss: float = Field(description="After dividing the logits by the temperature.")
    calibration_error: float = Field(description="After it, too.")
    fitted_on: Literal["validation", "halves"] = Field(
        description="validation: fitted there and reported on test rows. halves: fitted on every other row and "
        "reported on the rest, both ways."
    )


class Calibration(Out):
    """Whether confidence is true: means over the seeds. Classification with at most 16 classes."""

    brier: float = Field(description="Mean squared error of the probabilities; halved for two classes.")
    calibration_error: float = Field(description="Expected calibration error, 15 bins of equal width.")
    calibration_error_lo: float = Field(description="Lower end of its 95 % bootstrap interval over rows.")
    calibration_error_hi: float
    scaled: Scaled | None = Field(description="None where there are too few rows to fit on.")


class Together(Out):
    """The seeds of an arm beside and with each other."""

    seeds: int
    alike: float = Field(description="Share of the rows of which all seeds predict the same.")
    ensemble_loss: float | None = Field(description="Of the mean of the seeds' probabilities; needs logits.")
    ensemble_accuracy: float | None


class McNemar(Out):
    """Rows that one arm's seeds together get right and the baseline's get wrong, and the other way round."""

    only_this: int
    only_baseline: int
    p: float | None = Field(description="Exact, two-sided, uncorrected; null where no row tells them apart.")


class CrossedComponents(Out):
    """How much of the difference of losses to the baseline is the luck of seeds, and how much that of rows."""

    mean: float
    seed_sd: float
    row_sd: float
    rest_sd: float
    se_seeds: float = Field(description="Standard error of the mean for other seeds on these rows.")
    se_both: float = Field(description="For other seeds on other rows.")


class ArmLedger(Out):
    """One arm's rows at a clock, over the seeds whose ledgers are here."""

    arm_id: str
    name: str
    is_baseline: bool
    runs: int
    rows: int
    loss: float | None
    accuracy: float | None
    calibration: Calibration | None
    together: Together | None
    against_baseline: McNemar | None
    components: CrossedComponents | None


class StudyLedger(Out):
    """All arms' rows at one clock and in one split."""

    study_id: str
    clock: Clock
    split: Split
    baseline_arm_id: str | None
    arms: list[ArmLedger]
    without: int = Field(description="Finished runs without a ledger: made before there was one, or its file is gone.")
    note: str = Field(description="What is missing and why, in a sentence; empty where nothing is.")


class SaidByArm(Out):
    """What the seeds of an arm say of a row, or one run of it where runs were asked for."""

    arm_id: str
    run_id: str | None = Field(None, description="Where single runs were asked for.")
    name: str
    seeds: int
    right: int | None = Field(description="Seeds that predict the right class.")
    loss: float = Field(description="Mean over the seeds.")
    p_right: float | None = Field(description="Mean probability of the right class.")
    predicted: dict[str, int] | None = Field(description="Seeds by the class that they predict.")
    value: float | None = Field(description="Mean predicted value, in a regression.")


class SaidOfRow(Out):
    """One held-out row and what every arm says of it."""

    row: int
    label: str | None
    text: str | None = Field(description="None where the data set is not here any more as it was.")
    apart: float = Field(description="Largest less smallest mean loss of the arms.")
    arms: list[SaidByArm]


class RowsSaid(Out):
    """Held-out rows, the ones that the arms differ most on first."""

    items: list[SaidOfRow]
    total: int
