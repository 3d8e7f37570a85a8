"""From the outputs at the judged places to logits, with the current slot's head: pooler, classifier, language model."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call

from backend.shared.errors import TrainingError
from backend.shared.run_status import FailureCode
from backend.shared.specs import Task


class Head:
    """The modules behind the last hidden state of a stock model, applied to gathered places only.

    The slot's own tensors stand in for the model's by name; classifiers compute in fp32.
    """

    def __init__(self, model: nn.Module, body: nn.Module, task: Task, names: tuple[str, ...]) -> None:
        self.task = task
        self._softcap: float | None = getattr(getattr(model, "config", None), "final_logit_softcapping", None)
        if task == "causal_lm":
            found = model.get_output_embeddings()  # type: ignore[operator]  # transformers models have it
            if found is None:
                raise TrainingError(
                    FailureCode.BAD_INPUT, "This model has no language-model head; pick a causal model."
                )
            self._output: nn.Module = found
            return
        roots = sorted({name.split(".")[0] for name in names if "pooler" not in name} - {"pre_classifier"})
        if len(roots) != 1:
            raise TrainingError(FailureCode.BAD_INPUT, f"The model's classifier was not recognised (found {roots}).")
        self._root = roots[0]
        self._output = model.get_submodule(self._root)
        self._pooled: nn.Module | None = getattr(body, "pooler_activation", None)  # ALBERT keeps the activation apart
        self._pooler: nn.Module | None = getattr(body, "pooler", None)
        if self._pooler is None and hasattr(model, "pre_classifier"):  # DistilBERT's name for it
            self._pooler, self._pooled = model.get_submodule("pre_classifier"), nn.ReLU()
        self._pooler_prefix = next((n for n, m in model.named_modules() if m is self._pooler), "") + "."
        self._dropout = getattr(model, "dropout", None)
        # Heads of the RoBERTa kind take [R, T, E] and read the first token themselves.
        self._reads_first = not isinstance(self._output, nn.Linear)

    @property
    def outputs(self) -> int:
        """Outputs of a classification head (1 for regression); 0 for causal LM."""
        if self.task == "causal_lm":
            return 0
        return int([p for p in self._output.parameters() if p.dim() == 2][-1].shape[0])

    @property
    def output_weights(self) -> int:
        """Weights of the last layer's matrix."""
        return sum(p.numel() for p in self._output.parameters() if p.dim() == 2)

    def __call__(self, features: Tensor, tensors: Mapping[str, Tensor]) -> Tensor:
        """features [U, E] in the compute dtype, tensors: the slot's by full name; to [U, C] fp32."""
        if self.task == "causal_lm":
            words: Tensor = self._output(features).float()
            return words if self._softcap is None else torch.tanh(words / self._softcap) * self._softcap
        x = features
        if self._pooler is not None:
            x = self._pool(x, tensors)
        if isinstance(self._dropout, nn.Module):
            x = self._dropout(x)
        own = {
            name.removeprefix(f"{self._root}."): t for name, t in tensors.items() if name.startswith(f"{self._root}.")
        }
        x = x.float()
        logits: Tensor = functional_call(self._output, own, (x[:, None] if self._reads_first else x,))
        return logits

    def _pool(self, x: Tensor, tensors: Mapping[str, Tensor]) -> Tensor:
        pooler = self._pooler
        assert pooler is not None
        own = {
            name.removeprefix(self._pooler_prefix): t
            for name, t in tensors.items()
            if name.startswith(self._pooler_prefix)
        }
        if isinstance(pooler, nn.Linear):
            pooled = functional_call(pooler, own, (x.float() if own else x,))
            activated: Tensor = self._pooled(pooled) if self._pooled is not None else pooled
            return activated
        result: Tensor = functional_call(pooler, own, ((x.float() if own else x)[:, None],))
        return result
