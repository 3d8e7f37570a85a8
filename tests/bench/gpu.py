"""The engine on a GPU against sequential transformers + PEFT, with random weights of the real classes.

    python -m tests.bench.gpu                                   all shapes, about 20 minutes on one card
    python -m tests.bench.gpu --shapes roberta-base --rounds 1
    python -m tests.bench.gpu --device cpu --tiny               the script itself, anywhere; its figures mean nothing

Both sides train 12 runs of 512 rows (lengths: mean 64, longest 128 tokens, batch 16) for 3 epochs with 3 evaluations on
512 + 512 rows, adapter dropout .1 with the model's own dropout on: we as one stack, the yardstick 3 runs one by one,
scaled to 12. For encoders it is peer_hf_peft.py --synthetic --bf16 (looked for in ../shared/bench and in bench-peer/,
which git ignores), with the better of its two attentions; for the decoder tests/bench/gpu_peer.py. Building a model,
whose random weights take longer than real ones, counts once a study on both sides; imports count on neither. The sides
alternate (A B A B); a ratio is yardstick / engine, medians over rounds. Then step times of plain LoRA, hiddenkey_minus
and hiddenkey, and the kernels of one step. Exit code 1 where a bar is missed, 2 without a GPU or the yardstick.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import torch

from tests.bench import gpu_side as ours

ROOT = Path(__file__).parents[2]
PEER_RUNS = 3
BARS = {"roberta-base": 8.0, "roberta-large": 5.0, "llama-1.1b": 1.5}
METHOD_BARS = {"hiddenkey_minus over plain": 1.10, "hiddenkey over hiddenkey_minus": 1.5}


def yardstick() -> Path | None:
    """Where the encoders' yardstick is, if it is anywhere."""
    shared = Path(os.environ.get("DROPSCOPE_TEST_SHARED", ROOT.parent / "shared"))
    places = (shared / "bench" / "peer_hf_peft.py", ROOT / "bench-peer" / "peer_hf_peft.py")
    return next((place for place in places if place.is_file()), None)


def told(command: Sequence[str], quiet: bool = True) -> dict[str, Any]:
    """Run a side in a process of its own; what its last line says. Raises RuntimeError with what it printed."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    *above, last = done.stdout.rstrip().splitlines()
    if not quiet:
        print("\n".join(above))
    found: dict[str, Any] = json.loads(last)
    return found


def engine(what: str, shape: str, options: argparse.Namespace) -> dict[str, Any]:
    """Our side."""
    command = [sys.executable, "-m", "tests.bench.gpu_side", what, "--shape", shape, "--device", options.device]
    return told([*command, *(["--tiny"] if options.tiny else [])], quiet=what != "kernels")


def peer(shape: str, script: Path, attention: str, options: argparse.Namespace) -> float:
    """Seconds of the yardstick for as many runs as ours are."""
    form = (ours.TINY if options.tiny else ours.SHAPES)[shape]
    runs, slots = (1, ours.TINY_SLOTS) if options.tiny else (PEER_RUNS, ours.SLOTS)
    if form.decoder:
        command = [sys.executable, "-m", "tests.bench.gpu_peer", "--shape", shape, "--runs", str(runs)]
        command += ["--tiny"] if options.tiny else []
    else:
        rows = ours.TINY_ROWS if options.tiny else ours.ROWS
        lengths = ours.TINY_LENGTHS if options.tiny else ours.LENGTHS
        command = [sys.executable, str(script), "--synthetic", f"{form.layers}x{form.width}", "--runs", str(runs)]
        command += ["--lengths", *map(str, lengths), "--train-rows", str(rows), "--eval-rows", str(rows)]
        command += ["--epochs", str(ours.EPOCHS), "--batch", str(ours.BATCH), "--evals", str(ours.EVALUATIONS)]
        command += ["--max-length", str(lengths[1]), "--attn", attention, "--bf16"]
    found = told(command)
    return (float(found["load_s"]) + float(found["train_s"]) * slots) / runs


def against(shape: str, script: Path, options: argparse.Namespace) -> float:
    """Alternate both sides; the ratio of a study."""
    kinds = ["sdpa", "eager"] if not (ours.SHAPES[shape].decoder or options.tiny) else ["sdpa"]
    mine: list[float] = []
    theirs: dict[str, list[float]] = {}
    for number in range(options.rounds):
        report = engine("study", shape, options)
        mine.append(float(report["wall_s"]))
        about = f"stack of {report['stack']}, {report['peak_bytes'] / 2**30:.1f} GiB"
        print(f"  engine          {mine[-1]:8.2f} s for all runs   ({about})", flush=True)
        for kind in kinds:
            theirs.setdefault(kind, []).append(peer(shape, script, kind, options))
            print(f"  tuned {kind:10}{theirs[kind][-1]:8.2f} s for as many runs, scaled", flush=True)
        if number == 0:
            kinds = [min(kinds, key=lambda name: median(theirs[name]))]
    return median(theirs[kinds[0]]) / median(mine)


def measure(shape: str, script: Path, options: argparse.Namespace) -> list[str]:
    """All figures of one shape, printed; returns a sentence for each bar that is missed."""
    print(f"{shape}:", flush=True)
    missed = []
    ratio = against(shape, script, options)
    print(f"{shape} tuned: {ratio:.1f}x", flush=True)
    if ratio < BARS[shape]:
        missed.append(f"{shape}: {ratio:.1f}x tuned, bar {BARS[shape]}x")
    found = engine("steps", shape, options)
    print("  " + ", ".join(f"{name} {ms:.1f} ms" for name, ms in found["ms"].items()) + f" (stack of {found['stack']})")
    for name, bar in METHOD_BARS.items():
        print(f"{shape} {name}: {found[name]:.2f}x", flush=True)
        if found[name] > bar:
            missed.append(f"{shape}: {name} {found[name]:.2f}x, bar {bar}x")
    kernels = engine("kernels", shape, options)
    print("  one step of hiddenkey: " + ", ".join(f"{name} {value:.4g}" for name, value in kernels.items()), flush=True)
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", nargs="+", default=list(ours.SHAPES), choices=ours.SHAPES)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--tiny", action="store_true", help="tiny models and few rows, to try the script out")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        print("This benchmark needs a GPU that torch can use, and none is here.")
        return 2
    script = yardstick()
    if script is None:
        print("The yardstick is not there: put peer_hf_peft.py into bench-peer/ beside this project's Makefile.")
        return 2
    name = torch.cuda.get_device_name() if options.device == "cuda" else "the processor"
    print(f"{name}, torch {torch.__version__}")
    missed = [words for shape in options.shapes for words in measure(shape, script, options)]
    if options.tiny:
        print("tiny: the script works; the figures mean nothing")
        return 0
    print("\n" + ("\n".join(missed) if missed else "every bar holds"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
