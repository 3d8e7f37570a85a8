"""A plan as asked made whole: what it leaves out filled in, what cannot be told with a sentence."""

from collections.abc import Sequence

from backend.shared.errors import InvalidInput, Problem
from backend.shared.specs import RACE, PlanSpec, StudySpec
from backend.studies.pick import pick

from .metrics import OF_TEXTS, offered, smallest

FEWEST = 3  # seeds at a look: two cannot show how differences spread
MOST = 64
Named = tuple[str, str, str]  # key, label, method of an arm
Ranked = tuple[str, int]  # what an arm is but for its rank, and its rank


def resolved(
    study: StudySpec, arms: Sequence[Named], ranked: Sequence[Ranked], baseline: int | None
) -> tuple[PlanSpec | None, list[Problem]]:
    """Return the plan of a study that is being made, its baselines by label, and all that stands in the way.

    A study that says nothing gets one look at its seeds; none where nothing can be judged, or it says null.
    """
    asked = study.plan
    if asked is None:
        if "plan" in study.model_fields_set or study.seeds < FEWEST or len(arms) < 2:
            return None, []
        asked = PlanSpec()
    problems: list[Problem] = []
    most = most_seeds(study)
    looks = _looks(asked, study.seeds, most)
    metric = asked.metric or offered(study)[0]
    matters = asked.smallest if asked.smallest is not None else _default(metric, study, problems)
    problems += _seeds(asked, study.seeds, most)
    if not problems:
        problems += _rising(looks, most)
    if asked.race and len(looks) < 2 and not problems:
        words = f"a race adds seeds at looks, and this plan has one, at {most} seeds; plan for more seeds, or no race"
        problems.append(Problem("/plan/race", words))
    problems += _metric(metric, asked, study)
    if matters is not None and matters <= 0:
        words = f"the smallest difference that matters is above 0, not {matters:g}; every method differs a little"
        problems.append(Problem("/plan/smallest", words))
    base, bases = _baselines(asked, arms, ranked, baseline, problems)
    judged = _judged(asked, arms, bases, problems)
    plan = PlanSpec(
        baseline=None if base is None else arms[base][1],
        baselines=tuple(arms[i][1] for i in bases) if len(bases) > 1 else None,
        arms=judged,
        metric=metric,
        clock=asked.clock,
        smallest=matters,
        seeds=most,
        looks=looks,
        race=asked.race,
    )
    return plan, problems


def most_seeds(study: StudySpec) -> int:
    """Return the most seeds that a study may come to by itself: a race's largest number; else those it has."""
    plan = study.plan
    if plan is None or plan.seeds is not None:
        return study.seeds if plan is None or plan.seeds is None else plan.seeds
    if not plan.race:
        return study.seeds
    return plan.looks[-1] if plan.looks else max(RACE[-1], study.seeds)


def _default(metric: str, study: StudySpec, problems: list[Problem]) -> float | None:
    """The default of a metric that can be one; a problem where there is none."""
    if metric not in offered(study):
        return None
    found = smallest(metric, study.task)
    if found is None:
        words = (
            "a squared error is in the unit of your labels, squared; say in `smallest` which difference matters, or "
            "judge by validation/pearson"
        )
        problems.append(Problem("/plan/smallest", words))
    return found


def _looks(asked: PlanSpec, seeds: int, most: int) -> tuple[int, ...]:
    if asked.looks is not None:
        return asked.looks
    if asked.race and FEWEST <= seeds < most:
        return tuple(sorted({seeds, *(look for look in RACE if seeds < look < most), most}))
    return tuple(sorted({seeds, most})) if FEWEST <= seeds <= most else (most,)


def _seeds(asked: PlanSpec, seeds: int, most: int) -> list[Problem]:
    at = "/seeds" if asked.seeds is None else "/plan/seeds"
    if most < FEWEST:
        one = "one seed" if most == 1 else f"{most} seeds"
        words = f"{one} cannot show how differences spread; plan for {FEWEST} seeds at least, or set plan to null"
        return [Problem(at, words)]
    if most > MOST:
        return [Problem(at, f"a study has {MOST} seeds at most, and this plan goes to {most:,}; plan for fewer")]
    if most < seeds:
        words = f"the study has {seeds} seeds and its plan uses {most} at most; raise the plan's, or take fewer seeds"
        return [Problem(at, words)]
    return []


def _rising(looks: tuple[int, ...], most: int) -> list[Problem]:
    for i, look in enumerate(looks):
        at = f"/plan/looks/{i}"
        if look < FEWEST:
            words = f"a look at {look} {'seed' if look == 1 else 'seeds'} decides nothing; look at {FEWEST} or more"
            return [Problem(at, words)]
        if look > most:
            words = f"a look at {look} seeds is beyond the plan's {most}; look earlier, or plan for more seeds"
            return [Problem(at, words)]
        if i and look <= looks[i - 1]:
            words = f"looks rise, and {look} comes after {looks[i - 1]}; write each number once, the smallest first"
            return [Problem(at, words)]
    if looks[-1] < most:
        words = (
            f"the last look is at {looks[-1]} seeds and the plan goes to {most}; look at {most}, too, or plan for fewer"
        )
        return [Problem("/plan/looks", words)]
    return []


def _metric(metric: str, asked: PlanSpec, study: StudySpec) -> list[Problem]:
    can = offered(study)
    if metric in can:
        if asked.clock == "stopped" and metric.partition("/")[2] in OF_TEXTS:
            words = f"{metric} is measured once, at a run's end; judge by a loss, or set clock to last"
            return [Problem("/plan/clock", words)]
        return []
    listed = ", ".join(can)
    if metric == "gap":
        words = f"a gap also falls where less is learned, so it decides nothing; judge by one of {listed}"
    elif metric.startswith("test/") and not study.test_rows:
        words = f"this study has no test rows to judge by; set test_rows, or judge by one of {listed}"
    else:
        words = f"a study of the task {study.task} is not judged by '{metric[:100]}'; take one of {listed}"
    return [Problem("/plan/metric", words)]


def _baselines(
    asked: PlanSpec, arms: Sequence[Named], ranked: Sequence[Ranked], baseline: int | None, problems: list[Problem]
) -> tuple[int | None, list[int]]:
    """Return the baseline, and those of all ranks that have one, itself first."""
    if len(arms) < 2:
        words = "a single arm has nothing to be judged against; add an arm, or leave plan out"
        problems.append(Problem("/plan", words))
    base = baseline
    if asked.baseline is not None:
        base = _picked(asked.baseline, arms, "/plan/baseline", problems)
    if asked.baselines is None:
        return base, [] if base is None else [base, *_of_other_ranks(ranked, base)]
    found = [_picked(name, arms, f"/plan/baselines/{i}", problems) for i, name in enumerate(asked.baselines)]
    of_rank: dict[int, int] = {}
    for i, place in enumerate(found):
        if place is None:
            continue
        mate = of_rank.setdefault(ranked[place][1], place)
        if mate != place:
            words = (
                f"{arms[mate][1]} and {arms[place][1]} are of one rank, and a rank has one baseline; name one of them"
            )
            problems.append(Problem(f"/plan/baselines/{i}", words))
    known = list(of_rank.values())
    if known and base not in known:
        base = known[0] if asked.baseline is None else base
    return base, [] if base is None else [base, *(i for i in known if i != base)]


def _of_other_ranks(ranked: Sequence[Ranked], base: int) -> list[int]:
    """Return the arms that are the baseline at another rank, of ranks that hold others as well: what stands alone at
    its rank is a rival, not a baseline.
    """
    alike, own = ranked[base]
    found: dict[int, int] = {}
    for i, (what, rank) in enumerate(ranked):
        if what == alike and rank != own and sum(other == rank for _, other in ranked) > 1:
            found.setdefault(rank, i)
    return list(found.values())


def _judged(
    asked: PlanSpec, arms: Sequence[Named], bases: Sequence[int], problems: list[Problem]
) -> tuple[str, ...] | None:
    """Return the labels of the arms that are judged; None: all that are no baseline."""
    judged: list[str] = []
    for i, name in enumerate(asked.arms or ()):
        found = _picked(name, arms, f"/plan/arms/{i}", problems)
        if found is not None and found in bases:
            words = f"{arms[found][1]} is what the others are judged against; leave it out of the arms that are judged"
            problems.append(Problem(f"/plan/arms/{i}", words))
        elif found is not None and arms[found][1] not in judged:
            judged.append(arms[found][1])
    return tuple(judged) or None


def _picked(wanted: str, arms: Sequence[Named], pointer: str, problems: list[Problem]) -> int | None:
    try:
        return pick(wanted, list(arms), pointer)
    except InvalidInput as error:
        problems.extend(error.problems)
        return None
