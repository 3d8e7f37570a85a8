"""A study grows: more seeds for every arm, more arms for every seed; what is there already stays."""

from backend.accounts.principal import Principal
from backend.shared.database import Database, Write
from backend.shared.errors import Conflict, InvalidInput, Problem
from backend.shared.settings import Settings
from backend.shared.specs import ArmSpec, StudySpec
from backend.shared.store import runs, study_events
from backend.shared.store import studies as store
from backend.shared.tables import Arm, Study

from .expand import Expansion, expand
from .service import add_runs, new_arms


def extend(
    database: Database, settings: Settings, who: Principal, study_id: str, seeds: int | None, more: list[ArmSpec]
) -> None:
    """Queue what a larger study lacks. Raises InvalidInput and Conflict; then nothing is stored."""
    with database.read() as session:
        study = store.get(session, who.workspace_id, study_id)
        old = store.arms(session, study_id)
    asked = StudySpec.model_validate(study.spec)
    if seeds is not None and seeds < asked.seeds:
        raise InvalidInput(f"the study has {asked.seeds} seeds already; give that many or more", "/seeds")
    change = {"seeds": asked.seeds if seeds is None else seeds, "arms": [*asked.arms, *more], "baseline": None}
    if more and asked.plan is not None and asked.plan.arms is None:  # arms that come later are judged by no plan
        judged = tuple(
            arm.label for arm in old if arm.label not in {asked.plan.baseline, *(asked.plan.baselines or ())}
        )
        change["plan"] = asked.plan.model_copy(update={"arms": judged})
    plan = _expanded(settings, asked.model_copy(update=change), old, len(asked.arms))
    with database.write() as session:
        now_there = store.get(session, who.workspace_id, study_id)
        if now_there.archived_at is not None:
            raise Conflict("this study is archived; restore it first")
        if now_there.spec != study.spec:
            raise Conflict("somebody else extended this study at the same moment; look at it again, then try again")
        _grow(session, now_there, plan, old, who)
        now_there.spec = plan.study.model_copy(update={"baseline": asked.baseline}).model_dump(
            mode="json", exclude_unset=True
        )


def _grow(session: Write, study: Study, plan: Expansion, old: list[Arm], who: Principal) -> None:
    known = {arm.key for arm in old}
    fresh = new_arms(study.id, [arm for arm in plan.arms if arm.key not in known], first=len(old))
    there = {(run.seed, run.arm_id) for run in runs.of_study(session, study.id)}
    every = [*old, *fresh]
    cells = [(seed, arm) for seed in range(plan.study.seeds) for arm in every if (seed, arm.id) not in there]
    if not cells:
        raise InvalidInput("this study has all of these seeds and arms already", "/seeds")
    store.add_arms(session, fresh)
    first = runs.last_position(session, study.id) + 1
    add_runs(session, study, cells, who, first)
    data = {"changed": ["extended"], "runs": len(cells), "arms": len(fresh), "seeds": plan.study.seeds}
    study_events.append(session, study.id, [("study", None, data)])


def _expanded(settings: Settings, grown: StudySpec, old: list[Arm], before: int) -> Expansion:
    """The grown study; problems of new arms are told by their place in the request."""
    plan = expand(settings, grown, taken={arm.key: arm.label for arm in old})
    if plan.problems:
        raise InvalidInput.of([_in_request(problem, before) for problem in plan.problems])
    kept = {planned.key for planned in plan.arms}
    lost = [arm.label for arm in old if arm.key not in kept]
    if lost:
        raise Conflict(
            f"the model or data set has changed on this machine since the study was made (arm '{lost[0]}' would not be "
            "the same training any more); make a new study instead"
        )
    return plan


def _in_request(problem: Problem, before: int) -> Problem:
    parts = problem.pointer.split("/")
    if len(parts) > 2 and parts[1] == "arms" and parts[2].isdigit() and int(parts[2]) >= before:
        parts[2] = str(int(parts[2]) - before)
        return Problem("/".join(parts), problem.message)
    return problem
