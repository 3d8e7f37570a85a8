"""The train/inference gap: what dropout does to the model between training and use, and what compensation closes."""

from backend.comparison.schema import Comparison, SeriesName
from backend.comparison.words import plus_minus

from .dots import dot_axes, dot_traces
from .figure import Figure, build, crowded_out, nothing, ranked, vertical_panels
from .options import ChartOptions

NAMES: tuple[SeriesName, ...] = ("train_inference_gap", "slice_kl")
TITLE = "Train/inference gap: the same probe rows with dropout on and off"


def train_inference(comparison: Comparison, options: ChartOptions) -> Figure:
    """Draw loss on − off and mean KL for every arm; 0 means that training and use see the same model."""
    arms = [arm for arm in ranked(comparison, options) if "train_inference_gap" in arm.final or "slice_kl" in arm.final]
    if not arms:
        return nothing("train_inference", comparison, title=TITLE, sentence="No run has finished yet.")
    left, right = vertical_panels(2)
    layout = {
        **dot_axes(arms, domain=left, axis="", title=f"Loss on − off ({comparison.loss_unit})"),
        **dot_axes(arms, domain=right, axis="2", title="Mean KL between outputs (nats)"),
        "showlegend": False,
        "height": 120 + 30 * len(arms),
    }
    traces = [
        *dot_traces(arms, "train_inference_gap", axis="", what="Loss on − off"),
        *dot_traces(arms, "slice_kl", axis="2", what="Mean KL"),
    ]
    parts = []
    for arm in arms[:12]:
        means = [None if value is None else value.mean for value in (arm.final.get(n) for n in NAMES)]
        parts.append(f"{arm.name}: loss {plus_minus(means[0], None, 3)}, KL {plus_minus(means[1], None, 3)}")
    alt = f"{TITLE}. " + "; ".join(parts) + "."
    return build(
        "train_inference",
        comparison,
        title=TITLE,
        alt=alt,
        traces=traces,
        layout=layout,
        shown=arms,
        left_out=crowded_out(comparison, options),
    )
