"""A trainer that writes no ledger of rows, for `tests.bench.ledger`: what the product's would be without it."""

import sys
from typing import Any


def _nothing(*_: Any, **__: Any) -> None:
    return None


def main() -> int:
    """Serve as `worker.trainer` does."""
    from worker import trainer
    from worker.engine import ending, ledger
    from worker.engine.place import Place
    from worker.engine.reporter import Reporter

    Place.record = _nothing  # type: ignore[method-assign]
    Reporter.ledger = _nothing  # type: ignore[method-assign]
    ledger.write = lambda *_: {}
    assert ending.ledger is ledger  # the ending asks the module, so that what it finds is ours
    return trainer.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
