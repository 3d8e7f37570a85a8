"""A template that takes too long ends the run with a sentence: a row left out here might be read elsewhere."""

import pytest

from backend.shared.chat import limits
from backend.shared.errors import TrainingError
from backend.shared.run_status import FailureCode
from tests.backend.shared.chat.test_templates import HELLO, TOKENIZER, reader
from worker.data.encode import encode


def test_time_is_no_reason_to_leave_a_row_out(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"messages": HELLO}, {"messages": HELLO}]
    read = encode(iter(rows), "causal_lm", TOKENIZER, 1000, 1000, reader("chatml"))
    assert (len(read.rows), read.dropped) == (2, 0)
    monkeypatch.setattr(limits, "SECONDS", -1.0)
    with pytest.raises(TrainingError, match=r"within .* seconds.*make runs unlike") as ended:
        encode(iter(rows), "causal_lm", TOKENIZER, 1000, 1000, reader("chatml"))
    assert ended.value.failure == FailureCode.BAD_INPUT
