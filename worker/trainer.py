"""The trainer process: `python -m worker.trainer --events-fd N`. Commands in on standard input, events out on N.

It keeps its libraries, the base model and the data of recent seeds loaded between packs, and never speaks to a network.
"""

import argparse
import gc
import logging
import os
import queue
import sys
import threading
from collections.abc import Sequence

from pydantic import ValidationError

from backend.shared import logs
from backend.shared.trainer_protocol import COMMANDS, Command, Drain, Message, PackDone, Ready, Start, Stop

log = logging.getLogger("dropscope.trainer")
Inbox = queue.SimpleQueue[Command]


def main(arguments: Sequence[str]) -> int:
    """Serve packs until told to stop; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m worker.trainer")
    parser.add_argument("--events-fd", type=int, required=True, help="file descriptor that events are written to")
    events_fd: int = parser.parse_args(arguments).events_fd
    os.set_inheritable(events_fd, False)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a stray print of a library must not look like an event
    os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
    logs.configure([logging.StreamHandler(sys.stderr)], "INFO", "json" if _json() else "text")
    inbox: Inbox = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(inbox,), name="commands", daemon=True).start()
    _serve(inbox, events_fd)
    return 0


def _serve(inbox: Inbox, events_fd: int) -> None:
    gc.disable()  # the libraries make a million objects, all of them to stay: a tenth of the time to load them
    from pathlib import Path

    import torch

    from worker.engine.loaded import Warm
    from worker.engine.pack import run_pack
    from worker.models import prepare_first_use

    prepare_first_use()
    gc.freeze()
    gc.enable()

    def emit(event: Message) -> None:
        _write(events_fd, event)

    def asked() -> list[Command]:
        found: list[Command] = []
        while not inbox.empty():
            found.append(inbox.get())
        return found

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_num_threads(1)  # one thread a worker: faster in sum than two, and the same bits every time
    emit(Ready(pid=os.getpid(), device=str(device), torch_version=torch.__version__))
    warm: Warm | None = None
    while True:
        command = inbox.get()
        if isinstance(command, Stop | Drain):
            return
        if not isinstance(command, Start):
            continue  # a cancellation that came after the pack had ended
        home = Path(command.home)
        if warm is None or warm.home != home:
            warm = Warm(home, device)
        runs = ",".join(run.run_id for run in command.runs)
        with logs.about(claim_id=command.claim_id):
            log.info("training %s", runs)
            goes_on = run_pack(command, warm, emit, asked)
            log.info("done with %s", runs)
        if not goes_on:
            return
        emit(PackDone(claim_id=command.claim_id))


def _json() -> bool:
    return os.environ.get("DROPSCOPE_LOG_FORMAT") == "json"


def _listen(inbox: Inbox) -> None:
    """Read commands; at the end of input the supervisor is gone, and so is the reason to go on."""
    rest = b""
    # Not through sys.stdin: its lock, held by a waiting reader, would abort the process at its end.
    while chunk := os.read(0, 1 << 16):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            try:
                inbox.put(COMMANDS.validate_json(line))
            except ValidationError as error:
                print(f"a command that this trainer does not understand: {error}", file=sys.stderr)  # noqa: T201
    os._exit(0)


def _write(events_fd: int, event: Message) -> None:
    line = memoryview(event.model_dump_json().encode() + b"\n")
    while line:
        line = line[os.write(events_fd, line) :]


if __name__ == "__main__":
    _code = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(_code)  # an orderly end would spend a second on taking torch apart
