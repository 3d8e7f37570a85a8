"""Made-up studies of any size for the tests of statistics and charts: seeded noise around known curves."""

from dataclasses import dataclass, field, replace

import numpy as np

from backend.comparison.statistics.records import ArmRecord, Evaluations, RunRecord, StudyRecords

NONE: dict[str, object] = {"sites": [], "consistency": {"kind": "none"}, "native": False}
HIDDENKEY: dict[str, object] = {
    "sites": [
        {"position": "attention_logits", "structure": "column", "rate": 0.1, "rescale": "none"},
        {"position": "hidden", "structure": "element", "rate": {"per_layer": [0.1, 0.05]}, "rescale": "inverted"},
    ],
    "consistency": {"kind": "kl", "weight": 0.5},
    "native": False,
}


@dataclass(frozen=True)
class Plan:
    """One arm to make up: how far its validation loss rises, and what it is called."""

    method: str = "none"
    label: str = ""
    rise: float = 0.4
    rank: int = 8
    rate: float | None = None
    site: dict[str, object] | None = None  # the one of a composed arm
    training: dict[str, float] = field(default_factory=dict)  # settings of its own


def arm(position: int, plan: Plan) -> ArmRecord:
    """Return the record of a planned arm."""
    if plan.method == "none":
        dropout = NONE
    elif plan.method == "hiddenkey":
        dropout = HIDDENKEY
    elif plan.site is not None:
        dropout = {"sites": [plan.site], "consistency": {"kind": "none"}, "native": False}
    else:
        site = {"position": "hidden", "structure": "element", "rate": plan.rate or 0.1, "rescale": "inverted"}
        dropout = {"sites": [site], "consistency": {"kind": "none"}, "native": False}
    spec = {
        "method": dropout,
        "rank": plan.rank,
        "alpha": 2.0 * plan.rank,
        "training": {"learning_rate": 2e-3, "weight_decay": 0.1, **plan.training},
    }
    return ArmRecord.from_spec(
        id=f"arm-{position}",
        key=f"{position:016x}",
        label=plan.label or plan.method,
        method=plan.method,
        position=position,
        spec=spec,
        trainable_parameters=1000 * plan.rank,
    )


def study(
    plans: list[Plan], *, seeds: int = 5, evaluations: int = 8, interval: int = 16, noise: float = 0.02
) -> StudyRecords:
    """Return a finished study in which validation loss falls until a third of the training and then rises by `rise`."""
    arms = tuple(arm(i, plan) for i, plan in enumerate(plans))
    rng = np.random.default_rng(7)
    steps = interval * np.arange(1, evaluations + 1)
    share = steps / steps[-1]
    seed_effect = rng.normal(0, noise, seeds)
    runs, columns = [], []
    for seed in range(seeds):
        for i, plan in enumerate(plans):
            index = len(runs)
            cost = 1.5 if plan.method == "hiddenkey" else 1.0
            runs.append(
                RunRecord(
                    id=f"run-{index}",
                    arm_id=f"arm-{i}",
                    seed=seed,
                    status="succeeded",
                    step=int(steps[-1]),
                    total_steps=int(steps[-1]),
                    seconds=10.0 * cost + seed,
                    flops=1e12 * cost,
                )
            )
            wobble = rng.normal(0, noise / 3, (4, evaluations))
            probe = 0.69 * np.exp(-3 * share) + seed_effect[seed] / 4 + wobble[0] / 10
            validation = 0.6 - 0.1 * np.minimum(share * 3, 1) + plan.rise * np.maximum(share - 1 / 3, 0)
            columns.append(
                {
                    "run": np.full(evaluations, index),
                    "step": steps,
                    "epoch": steps / interval,
                    "validation/loss": validation + seed_effect[seed] + wobble[1],
                    "validation/loss_se": np.full(evaluations, 0.01),
                    "validation/accuracy": 0.8 - 0.1 * plan.rise * share + wobble[2],
                    "probe/loss": probe,
                    "probe/slice_loss_off": probe + 0.01,
                    "probe/slice_loss_on": probe + 0.03 + wobble[3] / 3,
                    "probe/slice_kl": np.full(evaluations, 0.02),
                    "train/loss": probe + 0.05,
                    "train/tokens": steps * 200.0 + seed,
                    "train/seconds": steps * 0.05 * cost,
                }
            )
    joined = {name: np.concatenate([column[name] for column in columns]) for name in columns[0]}
    table = Evaluations(
        run=joined.pop("run").astype(np.int64),
        step=joined.pop("step").astype(np.int64),
        epoch=joined.pop("epoch"),
        metrics=joined,
    )
    return StudyRecords("study-1", "Made up", 1, "classification", arms, tuple(runs), table, model="m", dataset="d")


def with_run(records: StudyRecords, index: int, **changes: object) -> StudyRecords:
    """Return the study with one run's fields changed."""
    runs = list(records.runs)
    runs[index] = replace(runs[index], **changes)  # type: ignore[arg-type]  # the caller names real fields
    return replace(records, runs=tuple(runs))


def with_values(records: StudyRecords, metric: str, mask: np.ndarray, value: float) -> StudyRecords:
    """Return the study with `metric` set to `value` where `mask` (over the evaluations) is true."""
    metrics = dict(records.evaluations.metrics)
    metrics[metric] = np.where(mask, value, metrics[metric])
    return replace(records, evaluations=replace(records.evaluations, metrics=metrics))


def with_halves(records: StudyRecords, *, noise: float = 0.01, **scores: float) -> StudyRecords:
    """Return the study with what each half of its validation rows says: the whole, plus and minus seeded noise.

    `scores`: further quantities beside loss and accuracy, with the spread between their halves.
    """
    rng = np.random.default_rng(11)
    metrics = dict(records.evaluations.metrics)
    for name, spread in {"loss": noise, "accuracy": noise, **scores}.items():
        whole = metrics[f"validation/{name}"]
        apart = rng.normal(0, spread, len(whole))
        metrics |= {f"validation_a/{name}": whole + apart, f"validation_b/{name}": whole - apart}
    return replace(records, evaluations=replace(records.evaluations, metrics=metrics))


def without_rows(records: StudyRecords, mask: np.ndarray) -> StudyRecords:
    """Return the study without the evaluations where `mask` is true."""
    table = records.evaluations
    kept = ~mask
    metrics = {name: values[kept] for name, values in table.metrics.items()}
    return replace(records, evaluations=Evaluations(table.run[kept], table.step[kept], table.epoch[kept], metrics))


DEMO = [
    Plan("none", rise=0.4),
    Plan("native_dropout", rise=0.35),
    Plan("adapter_dropout", "adapter_dropout 0.1", 0.3, rate=0.1),
    Plan("dropkey", rise=0.3),
    Plan("hiddencut", rise=0.28),
    Plan("dropattention", rise=0.31),
    Plan("hiddenkey_minus", rise=0.2),
    Plan("hiddenkey", rise=0.15),
]
