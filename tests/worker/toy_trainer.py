"""A trainer that speaks the protocol and trains nothing: deterministic numbers that depend on all steps before.

Without more it takes ten steps an epoch. The arm's `method` may carry `toy`: `steps`, `step_s`, `evaluate_every`, and
misbehaviour, and so may the file `toy.json` in the home folder, for all arms: `kill_at` (SIGKILL itself at
that step), `fail_at` with `code`, `nan_from`, `deaf` (ignores Cancel and Drain), `exit_at` (exit code 3).
"""

import argparse
import hashlib
import json
import os
import queue
import signal
import sys
import threading
import time
from pathlib import Path

from backend.shared import trainer_protocol as e

COMMANDS: queue.Queue[e.Command | None] = queue.Queue()


class Toy:
    """One run: a chain of hashes, so that any lost or doubled step shows in every later number."""

    def __init__(self, packed: e.PackedRun, everywhere: dict[str, object]) -> None:
        self.packed, self.folder = packed, Path(packed.folder)
        training = packed.spec.arm.training
        usual = {"steps": int(training.epochs * 10), "step_s": 0.005, "evaluate_every": 10}
        self.plan = {**usual, **packed.spec.arm.method.get("toy", {}), **everywhere}
        self.step = 0
        self.state = hashlib.sha256(f"{packed.spec.arm.key()}:{packed.spec.seed}".encode()).hexdigest()
        if packed.resume_from:
            saved = json.loads((Path(packed.resume_from) / "state.json").read_text())
            self.step, self.state = saved["step"], saved["state"]

    @property
    def ids(self) -> dict[str, object]:
        return {"run_id": self.packed.run_id, "fence": self.packed.fence}

    def number(self) -> float:
        nan_from = self.plan.get("nan_from")
        return float("nan") if nan_from and self.step >= nan_from else int(self.state[:8], 16) / 2**32

    def advance(self) -> float:
        self.step += 1
        self.state = hashlib.sha256(f"{self.state}:{self.step}".encode()).hexdigest()
        return self.number()

    def checkpoint(self) -> e.Checkpoint:
        final = self.folder / f"checkpoint-{self.step}"
        if not final.exists():
            partial = self.folder / f"checkpoint-{self.step}.tmp"
            partial.mkdir(exist_ok=True)
            with (partial / "state.json").open("w") as file:
                json.dump({"step": self.step, "state": self.state}, file)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(final)
        return e.Checkpoint(**self.ids, step=self.step, folder=str(final))

    def left(self) -> list[e.Artifact]:
        last = self.artifact("adapter", step=self.step, clocks=("last",))
        return [last, self.artifact("adapter_stopped", step=1, clocks=("stopped",))]

    def artifact(self, kind: str, **more: object) -> e.Artifact:
        folder = self.folder / kind
        folder.mkdir()
        (folder / "adapter.bin").write_bytes(bytes.fromhex(self.state))
        digest = hashlib.sha256(bytes.fromhex(self.state)).hexdigest()
        return e.Artifact(**self.ids, kind=kind, folder=str(folder), files={"adapter.bin": digest}, **more)


def listen() -> None:
    for line in sys.stdin:
        COMMANDS.put(e.COMMANDS.validate_json(line))
    os._exit(0)  # the supervisor is gone


def train(start: e.Start, say) -> bool:
    """Train a pack; return False where the trainer is to exit."""
    file = Path(start.home) / "toy.json"
    everywhere = json.loads(file.read_text()) if file.exists() else {}
    toys = {run.run_id: Toy(run, everywhere) for run in start.runs}
    for toy in toys.values():
        say(
            e.Started(
                **toy.ids,
                step=toy.step,
                total_steps=toy.plan["steps"],
                trainable_parameters=1,
                hooks=({"position": "hidden", "sites": 1},),
                record={"precision": "toy"},
            )
        )
    while toys:
        for run_id, toy in list(toys.items()):
            plan = toy.plan
            while not COMMANDS.empty():
                command = COMMANDS.get()
                if isinstance(command, e.Drain) and not plan.get("deaf"):
                    for other in toys.values():
                        say(other.checkpoint())
                        say(e.Drained(**other.ids, step=other.step))
                    return False
                if isinstance(command, e.Cancel) and command.run_id in toys and not plan.get("deaf"):
                    gone = toys.pop(command.run_id)
                    say(e.Cancelled(**gone.ids, step=gone.step))
            if run_id not in toys:
                continue
            time.sleep(plan["step_s"])
            loss = toy.advance()
            say(e.Steps(**toy.ids, first_step=toy.step, losses=(loss,), seconds_per_step=plan["step_s"]))
            if plan.get("kill_at") == toy.step:
                os.kill(os.getpid(), signal.SIGKILL)
            if plan.get("exit_at") == toy.step:
                sys.exit("toy: told to exit")
            if plan.get("fail_at") == toy.step:
                say(e.Failed(**toy.ids, code=plan["code"], message="The toy was told to fail."))
                del toys[run_id]
                continue
            if toy.step % plan["evaluate_every"] == 0 or toy.step == plan["steps"]:
                values = {
                    "validation/loss": toy.number(),
                    "probe/loss": toy.number() / 2,
                    "train/tokens": toy.step * 8.0,
                }
                say(e.Evaluation(**toy.ids, step=toy.step, epoch=toy.step / 10, values=values))
                say(toy.checkpoint())
            if toy.step >= plan["steps"]:
                say(e.Log(**toy.ids, level="info", text="done"))
                for artifact in toy.left():
                    say(artifact)
                say(e.Finished(**toy.ids, step=toy.step, final={"validation/loss_fp32": toy.number()}))
                del toys[run_id]
    say(e.PackDone(claim_id=start.claim_id))
    return True


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events-fd", type=int, required=True)
    out = os.fdopen(parser.parse_args().events_fd, "wb", buffering=0)

    def say(event: e.Message) -> None:
        out.write(event.model_dump_json().encode() + b"\n")

    threading.Thread(target=listen, daemon=True).start()
    say(e.Ready(pid=os.getpid(), device="cpu", torch_version="none"))
    while True:
        command = COMMANDS.get()
        if isinstance(command, e.Start):
            if not train(command, say):
                return
        elif isinstance(command, e.Drain | e.Stop):
            return


if __name__ == "__main__":
    main()
