"""A study as asked made into arms and runs: everything resolved, every problem found before a row is written."""

from dataclasses import dataclass, field

from transformer_dropout.spec import DropoutSpec

from backend.shared.errors import InvalidInput, Problem
from backend.shared.facts import DatasetFacts, ModelFacts
from backend.shared.schedule import total_steps
from backend.shared.settings import Settings
from backend.shared.specs import ArmKeySpec, ArmSpec, GenerationSpec, StudySpec

from . import arm_labels, arm_method, axes, checks
from .axes import Point
from .checks import Surroundings
from .effects import Effects
from .pick import pick
from .plan.resolve import most_seeds, resolved


@dataclass(frozen=True)
class PlannedArm:
    """An arm as it would be made."""

    label: str
    method: str
    dropout: DropoutSpec
    spec: ArmKeySpec
    key: str


@dataclass(frozen=True)
class Expansion:
    """What a study comes to; where there are problems, `arms` holds those that could be made all the same.

    `warnings`: what may be trained and should be known first.
    """

    study: StudySpec
    model: ModelFacts | None
    dataset: DatasetFacts | None
    arms: tuple[PlannedArm, ...] = ()
    baseline: int | None = None
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    @property
    def runs(self) -> int:
        """Arms × seeds."""
        return len(self.arms) * self.study.seeds

    @property
    def steps_per_run(self) -> int | None:
        """Optimizer steps of the longest run: an arm may have epochs of its own. None where there is no arm."""
        return max((steps(arm.spec) for arm in self.arms), default=None)

    def or_raise(self) -> "Expansion":
        """Itself; raises InvalidInput with all problems where there are any."""
        if self.problems:
            raise InvalidInput.of(self.problems)
        return self


@dataclass(frozen=True)
class _Draft:
    """One arm before it has a label."""

    arm: ArmSpec
    point: Point
    pointer: str
    dropout: DropoutSpec
    spec: ArmKeySpec


def steps(arm: ArmKeySpec) -> int:
    """Optimizer steps of a run."""
    return total_steps(arm.train_rows, arm.training.batch_size, arm.training.epochs)


def expand(settings: Settings, asked: StudySpec, taken: dict[str, str] | None = None) -> Expansion:
    """Resolve a study against what this machine has.

    `taken` maps keys to labels of arms that exist already (when a study is extended): they keep their labels, and the
    study its plan.
    """
    found, problems = checks.surroundings(settings, asked)
    study, model, dataset = found.study, found.model, found.dataset
    racing = study.plan is not None and study.plan.race
    spanned = sum(axes.size(arm) for arm in study.arms) * (most_seeds(study) if racing else study.seeds)
    if spanned > settings.max_runs:
        problems.append(
            Problem(
                "/arms",
                f"these arms and seeds come to {spanned:,} runs, and a study has {settings.max_runs:,} at most; "
                "take fewer values on the axes, fewer seeds, or several studies",
            )
        )
        return Expansion(study, model, dataset, problems=problems)
    effects = None if model is None else Effects(settings.shared, study, model)
    warnings = list(found.warnings)
    drafts = _drafts(found, problems, warnings, effects, frozenset(taken or ()))
    arms = _labelled(drafts, taken or {})
    baseline = _baseline(study, arms, problems)
    if taken is None and arms:
        plan, further = resolved(
            study,
            [(arm.key, arm.label, arm.method) for arm in arms],
            [(arm.spec.but_for_rank(), arm.spec.rank) for arm in arms],
            baseline,
        )
        problems += further
        if plan is not None:
            study = study.model_copy(update={"plan": plan})
    return Expansion(study, model, dataset, arms, baseline, problems, warnings)


def _drafts(
    surroundings: Surroundings,
    problems: list[Problem],
    warnings: list[Problem],
    effects: Effects | None,
    taken: frozenset[str],
) -> list[_Draft]:
    """Every arm that can be made. taken: keys of arms that are there already and go on as they are."""
    study, model, dataset, adapter = surroundings.study, surroundings.model, surroundings.dataset, surroundings.adapter
    drafts: list[_Draft] = []
    seen: dict[str, str] = {}
    told = set(problems)

    def tell(further: list[Problem]) -> None:
        for problem in further:
            if problem not in told:
                told.add(problem)
                problems.append(problem)

    for i, arm in enumerate(study.arms):
        pointer = f"/arms/{i}"
        for point in axes.points(arm, pointer):
            found = axes.problems(point)
            try:
                dropout = arm_method.build(arm, point, pointer, model)
            except InvalidInput as error:
                found.extend(error.problems)
            found += checks.trains(study, dataset, point)
            tell(found)
            if found or model is None or dataset is None or effects is None:
                continue
            spec = _arm_spec(study, arm, point, dropout, model, dataset)
            spec = spec.model_copy(update={"also_measure": surroundings.also})
            if adapter is not None:
                spec = spec.model_copy(update={"start_from": adapter.ref})
                own = {axis: point.pointers[axis] for axis in ("rank", "alpha") if point.values[axis] is not None}
                tell(checks.starts(adapter, spec.rank, spec.alpha, own))
            key = spec.key()
            if key not in taken:
                refused = effects.problems(arm, point, pointer, dropout)
                tell(refused)
                fresh = () if refused else effects.warnings(arm, point, pointer, dropout)
                warnings.extend(warning for warning in fresh if warning not in warnings)
            if key in seen:
                words = f"this arm is the same as {seen[key]}; take one of them out or change a parameter"
                problems.append(Problem(pointer, words))
                continue
            seen[key] = _in_words(arm, pointer)
            drafts.append(_Draft(arm, point, pointer, dropout, spec))
    return drafts


def _in_words(arm: ArmSpec, pointer: str) -> str:
    """Name an arm for a person, who counts from one and sees no pointers: "arm 3 of the list (dropkey)"."""
    number = int(pointer.split("/")[2]) + 1
    return f"arm {number} of the list ({arm.label or arm.method or 'a composed method'})"


def _arm_spec(
    study: StudySpec, arm: ArmSpec, point: Point, dropout: DropoutSpec, model: ModelFacts, dataset: DatasetFacts
) -> ArmKeySpec:
    values = point.values
    rank = int(values["rank"] or study.lora.rank)
    alpha = values["alpha"]
    if alpha is None:  # the scaling alpha / rank stays as it is asked for the whole study; 2 unless given
        alpha = 2.0 * rank if study.lora.alpha is None else study.lora.alpha / study.lora.rank * rank
    changed = {axis: values[axis] for axis in axes.TRAINING if values[axis] is not None}
    train_rows = study.train_rows or dataset.rows["train"]
    test_rows = study.test_rows or 0
    validation_rows = study.validation_rows or dataset.rows["validation"] - test_rows
    generation = (study.generation or GenerationSpec()) if study.task == "causal_lm" else None
    return ArmKeySpec(
        model=model.ref,
        dataset=dataset.ref,
        task=study.task,
        train_rows=train_rows,
        validation_rows=validation_rows,
        probe_rows=min(train_rows, validation_rows),
        test_rows=test_rows,
        generation=generation,
        method_name=arm.method,
        method=dropout.to_dict(),
        rank=rank,
        alpha=float(alpha),
        target_modules=study.lora.target_modules or model.default_target_modules,
        training=study.training.model_copy(update=changed),
    )


def _labelled(drafts: list[_Draft], taken: dict[str, str]) -> tuple[PlannedArm, ...]:
    named = [
        arm_labels.Named(
            method=arm_method.name(draft.arm),
            own=draft.arm.label,
            dropout=draft.dropout,
            listed=draft.point.listed,
            rank=draft.spec.rank,
            alpha=draft.spec.alpha,
            learning_rate=draft.spec.training.learning_rate,
            weight_decay=draft.spec.training.weight_decay,
            epochs=draft.spec.training.epochs,
            label_smoothing=draft.spec.training.label_smoothing,
        )
        for draft in drafts
    ]
    keys = [draft.spec.key() for draft in drafts]
    made = [(key, label) for key, label in zip(keys, arm_labels.labels(named), strict=True) if key not in taken]
    fresh = arm_labels.unique([label for _, label in made], frozenset(taken.values()))
    shown = taken | {key: label for (key, _), label in zip(made, fresh, strict=True)}
    return tuple(
        PlannedArm(shown[key], arm_method.name(draft.arm), draft.dropout, draft.spec, key)
        for draft, key in zip(drafts, keys, strict=True)
    )


def _baseline(study: StudySpec, arms: tuple[PlannedArm, ...], problems: list[Problem]) -> int | None:
    wanted = study.baseline
    if wanted is None:
        plain = [i for i, arm in enumerate(arms) if arm.dropout.is_plain]
        return plain[0] if plain else (0 if arms else None)
    try:
        return pick(wanted, [(arm.key, arm.label, arm.method) for arm in arms]) if arms else None
    except InvalidInput as error:
        if not problems:  # an arm that could not be made may have been the one
            problems.extend(error.problems)
        return None
