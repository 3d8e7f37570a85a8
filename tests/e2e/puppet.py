"""A worker that trains nothing: it claims real runs from the real queue and reports invented curves through the store.

For tests and pictures of the page only, which need studies in any state within a second; the numbers mean nothing.
"""

import math
import random
from collections.abc import Iterator

from backend.shared.database import Database
from backend.shared.process import ProcessId, this_process
from backend.shared.run_status import FailureCode
from backend.shared.schedule import total_steps
from backend.shared.settings import Settings
from backend.shared.store import endings, queue, records, workers
from backend.shared.store.queue import ClaimedRun, Pack
from backend.shared.trainer_protocol import Evaluation, Log, Started, Steps

# How strongly each method holds overfitting back in the invented curves: 0 not at all, 1 wholly.
STRENGTH = {
    "none": 0.0,
    "native_dropout": 0.35,
    "adapter_dropout": 0.28,
    "dropkey": 0.4,
    "hiddencut": 0.45,
    "dropattention": 0.3,
    "hiddenkey_minus": 0.62,
    "hiddenkey": 0.8,
}
LEASE_S = 600.0


class Puppet:
    """One pretended worker; `step` moves every run of its pack by one evaluation.

    halves: whether its runs record halves of their validation rows, as runs of before did not.
    """

    halves = True

    def __init__(self, database: Database, settings: Settings, device: str = "cpu") -> None:
        self.database = database
        self.settings = settings
        me = this_process()
        with database.write() as session:
            process = ProcessId(me.host, me.pid, me.started)
            self.worker_id = workers.register(session, process, device, "test")

    def claim(self) -> Pack | None:
        """The next pack, started; None where nothing waits."""
        with self.database.write() as session:
            workers.heartbeat(session, self.worker_id)
            pack = queue.claim_pack(session, self.worker_id, self.settings.pack_size, LEASE_S)
            if pack is not None:
                records.record(session, [event for run in pack.runs for event in _started(run)])
        return pack

    def evaluations(
        self, pack: Pack, *, nan: frozenset[int] = frozenset(), short: frozenset[int] = frozenset()
    ) -> Iterator[int]:
        """Report one evaluation of every run of the pack per turn; yields the step reached.

        The validation loss of the runs at the positions in `nan` is no number from the middle on; those in `short` skip
        their last evaluation.
        """
        count = _evaluations(pack.runs[0])
        for index in range(count):
            with self.database.write() as session:
                workers.heartbeat(session, self.worker_id)
                for position, run in enumerate(pack.runs):
                    if position in short and index == count - 1:
                        continue
                    broken = position in nan and 2 * index >= count
                    records.record(session, _evaluated(run, index, broken=broken, halves=self.halves))
            yield _step(pack.runs[0], index)

    def end(self, pack: Pack, failed: frozenset[int] = frozenset()) -> None:
        """Finish the runs of a pack; those at the positions in `failed` end with a loss that is not a number."""
        for position, run in enumerate(pack.runs):
            with self.database.write() as session:
                if position in failed:
                    message = "The loss was not a number at 3 steps in a row; try a smaller learning rate."
                    endings.fail(session, run.run_id, run.fence, FailureCode.LOSS_NAN, message)
                else:
                    final = {"validation/loss_fp32": _losses(run, 1.0)[1], "flops": 2.1e12 * _cost(run)}
                    endings.finish(session, run.run_id, run.fence, _total(run), final)
        with self.database.write() as session:
            workers.release(session, self.worker_id, tokens_per_second=5200.0)

    def work(self, packs: int | None = None, failed: frozenset[int] = frozenset()) -> int:
        """Train packs to their end until none waits; returns how many."""
        done = 0
        while packs is None or done < packs:
            pack = self.claim()
            if pack is None:
                break
            for _ in self.evaluations(pack):
                pass
            self.end(pack, failed if done == 0 else frozenset())
            done += 1
        return done


def _started(run: ClaimedRun) -> list[Started | Log | Evaluation]:
    hooks: tuple[dict[str, object], ...] = ({"position": "invented", "layers": 6},)
    record: dict[str, object] = {"precision": "fp32", "device": "none: a puppet for tests"}
    return [
        Started(
            run_id=run.run_id,
            fence=run.fence,
            step=0,
            total_steps=_total(run),
            trainable_parameters=9_216 * int(run.spec["rank"]),
            hooks=hooks,
            record=record,
        ),
        Log(run_id=run.run_id, fence=run.fence, level="info", text=f"seed {run.seed}: invented curves begin"),
        *_before(run),
    ]


def _before(run: ClaimedRun) -> list[Evaluation]:
    """What a run that is also measured elsewhere says before its first step."""
    if not run.spec.get("also_measure"):
        return []
    own = dict.fromkeys(("validation/loss", "validation_a/loss", "validation_b/loss"), 0.7)
    values = {**own, "validation/accuracy": 0.5}
    return [Evaluation(run_id=run.run_id, fence=run.fence, step=0, epoch=0.0, values=values, extra=_further(run, 0.0))]


def _further(run: ClaimedRun, share: float) -> dict[str, float]:
    """What is forgotten elsewhere at a share of the training: the less, the stronger the method."""
    luck = random.Random(f"{run.run_id} elsewhere").gauss(0, 0.015)
    rise = share * (0.32 * (1 - _strength(run)) + luck)
    found: dict[str, float] = {}
    for at, also in enumerate(run.spec.get("also_measure", ())):
        name = f"also/{also['dataset']['id']}"
        found |= {f"{name}/loss": 0.72 + rise / (1 + at), f"{name}/accuracy": 0.55 - rise / 4}
    return found


def _evaluated(
    run: ClaimedRun, index: int, *, broken: bool = False, halves: bool = True
) -> list[Evaluation | Steps | Log]:
    step, before = _step(run, index), _step(run, index - 1) if index else 0
    share = step / _total(run)
    probe, validation = _losses(run, share)
    noise = random.Random(f"{run.run_id} {step}")
    strength = _strength(run)
    tied = 0.3 if _cost(run) > 1 else 1.0
    on = probe + tied * strength * (0.03 + 0.05 * share)
    values = {
        "validation/loss": math.nan if broken else validation,
        "validation/loss_se": 0.006,
        "validation/accuracy": 0.62 + 0.2 * (1 - math.exp(-5 * share)) - 0.08 * (validation - 0.55),
        "probe/loss": probe,
        "probe/accuracy": 1 - 0.45 * probe,
        "probe/slice_loss_off": probe,
        "probe/slice_loss_on": on,
        "probe/slice_kl": tied * strength * (0.02 + 0.06 * share),
        "train/loss": on + 0.01,
        "train/gradient_norm": 0.4 + 2 * math.exp(-4 * share) + 0.2 * noise.random(),
        "train/tokens": 190.0 * step,
        "train/seconds": 0.11 * step * _cost(run),
    }
    for half, sign in (("a", 1), ("b", -1)) if halves else ():
        for name, apart in (("loss", 0.01), ("accuracy", 0.004)):
            luck = random.Random(f"{run.seed} {step} {name}").gauss(0, apart)
            values[f"validation_{half}/{name}"] = values[f"validation/{name}"] + sign * luck
    if run.spec.get("test_rows") and step == _total(run):
        values |= _tested(run, validation)
    losses = tuple(max(0.01, on + noise.gauss(0, 0.05)) for _ in range(step - before))
    return [
        Steps(
            run_id=run.run_id,
            fence=run.fence,
            first_step=before + 1,
            losses=losses,
            seconds_per_step=0.11 * _cost(run),
        ),
        Evaluation(
            run_id=run.run_id, fence=run.fence, step=step, epoch=8 * share, values=values, extra=_further(run, share)
        ),
        Log(run_id=run.run_id, fence=run.fence, level="info", text=f"step {step}: validation loss {validation:.3f}"),
    ]


def _tested(run: ClaimedRun, validation: float) -> dict[str, float]:
    """What test rows say at the end, of the last adapter and of the one that was kept."""
    luck = random.Random(f"{run.run_id} test").gauss(0, 0.008)
    count = _evaluations(run)
    kept = min(range(count), key=lambda index: _losses(run, _step(run, index) / _total(run))[1])
    best = _losses(run, _step(run, kept) / _total(run))[1]
    found: dict[str, float] = {"stopped_step": _step(run, kept)}
    for split, loss in (("test", validation), ("test_stopped", best)):
        found |= {f"{split}/loss": loss + luck, f"{split}/loss_se": 0.006, f"{split}/accuracy": 1.15 - 0.7 * loss}
    return found


def _losses(run: ClaimedRun, share: float) -> tuple[float, float]:
    """Probe and validation loss at a share of the training; the seed's part is common to all arms."""
    method = str(run.spec.get("method_name") or "composed")
    strength = _strength(run)
    common = random.Random(f"seed {run.seed}").gauss(0, 0.03)
    own = random.Random(f"{method} {run.seed} {run.spec['rank']}").gauss(0, 0.012)
    probe = 0.08 + 0.2 * strength + 0.61 * math.exp(-3.2 * share) + 0.3 * common
    dip = 0.69 - 0.14 * (1 - math.exp(-6 * share))
    rise = (1 - strength) * 0.42 * max(0.0, share - 0.28 - 0.3 * strength) ** 1.2
    return max(0.01, probe), dip + rise + common + own


def _strength(run: ClaimedRun) -> float:
    """Stronger at a rate of 0.1 than beside it, weaker at high rank."""
    rates = [site["rate"] for site in run.spec["method"].get("sites", ()) if isinstance(site.get("rate"), float)]
    off = abs(math.log10(max(rates) / 0.1)) if rates and max(rates) > 0 else 0.0
    base = STRENGTH.get(str(run.spec.get("method_name")), 0.5)
    return base * (1 - 0.5 * off) * (8 / run.spec["rank"]) ** 0.15


def _evaluations(run: ClaimedRun) -> int:
    return int(run.spec["training"]["evaluations"])


def _total(run: ClaimedRun) -> int:
    training = run.spec["training"]
    return total_steps(run.spec["train_rows"], training["batch_size"], training["epochs"])


def _step(run: ClaimedRun, index: int) -> int:
    return round(_total(run) * (index + 1) / _evaluations(run))


def _cost(run: ClaimedRun) -> float:
    return 1.5 if run.spec["method"].get("consistency", {}).get("kind", "none") != "none" else 1.0
