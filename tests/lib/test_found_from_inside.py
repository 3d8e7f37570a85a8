"""A method is found from every wrapper around its model and from inside it: trainers hand on whichever they hold."""

from peft import LoraConfig, TaskType, get_peft_model
from torch import nn
from transformer_dropout import preset
from transformer_dropout.hf import inject_dropout, injection_of

from tests.lib.tiny import classifier


class Wrapper(nn.Module):
    """What accelerate and DistributedDataParallel put around a model."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module


def test_it_is_found_around_and_inside_and_gone_when_removed() -> None:
    base = classifier("bert")
    peft = get_peft_model(base, LoraConfig(TaskType.SEQ_CLS, r=2, target_modules=["query"]))
    with inject_dropout(peft, preset("dropkey", 0.1), generator_seed=1) as injection:
        for model in (Wrapper(peft), peft, peft.base_model, base, base.bert):
            assert injection_of(model) is injection
        assert injection_of(base.bert.encoder) is None
    for model in (Wrapper(peft), peft, base, base.bert):
        assert injection_of(model) is None
