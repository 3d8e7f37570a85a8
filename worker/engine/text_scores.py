"""Scores of generated texts: BLEU, chrF and TER as sacrebleu gives them, ROUGE-L as rouge-score does.

All in points of 100 and over the whole set: sacrebleu's with its default settings (13a tokens, mixed case), ROUGE-L
the mean over texts of the best F-measure over a text's references, without stemming.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.shared.trainer_protocol import Example
from worker.engine.examples import cut


@dataclass(frozen=True)
class Answer:
    """A prompt, what the run generated for it, and its right answers, one at least."""

    prompt: str
    text: str
    references: tuple[str, ...]

    def shown(self) -> Example:
        """As a person reads it."""
        first, *others = (cut(reference) for reference in self.references)
        return Example(text=cut(self.prompt), label=first, predicted=cut(self.text), references=tuple(others[:5]))


def text_scores(answers: Sequence[Answer]) -> dict[str, float]:
    """Scores by name: bleu, chrf, ter, rouge_l."""
    from rouge_score.rouge_scorer import RougeScorer  # imported where it is needed: a second of its own
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF
    from sacrebleu.metrics.ter import TER

    texts = [answer.text for answer in answers]
    most = max(len(answer.references) for answer in answers)
    # One stream a reference; a text that has fewer gets None, which sacrebleu leaves out.
    streams = [
        [answer.references[i] if i < len(answer.references) else None for answer in answers] for i in range(most)
    ]
    found = {
        name: metric.corpus_score(texts, streams).score
        for name, metric in (("bleu", BLEU()), ("chrf", CHRF()), ("ter", TER()))
    }
    rouge = RougeScorer(["rougeL"], use_stemmer=False)
    best = [rouge.score_multi(list(answer.references), answer.text)["rougeL"].fmeasure for answer in answers]
    return {**found, "rouge_l": 100 * sum(best) / len(best)}
