"""T17: Postgres is killed and comes back every 5 to 40 s for five minutes, under fifty runs."""

import time
from collections.abc import Callable

import pytest

from tests.faults.house import House, until
from tests.faults.real_engine import World
from tests.faults.real_postgres import killable_postgres

Build = Callable[..., House]
RUNS, MINUTES = 50, 5
PLAN = {"arms": 5, "seeds": RUNS // 5, "epochs": 30}  # 360 steps a run


@pytest.mark.long
@pytest.mark.postgres
@pytest.mark.timeout(1500)
def test_t17_database_restarts_are_survived(build: Build, world: World) -> None:
    peaceful = build(world=world)
    peaceful.start()
    peaceful.plant_real(**PLAN)
    assert set(peaceful.wait_all(600)) == {"succeeded"}
    expected = peaceful.digest()
    peaceful.close_processes()
    with killable_postgres() as server:
        house = build(world=world, database_url=server.postgres.fresh())
        try:
            house.start(2)
            runs = house.plant_real(**PLAN)
            begun = time.monotonic()
            while time.monotonic() - begun < MINUTES * 60:
                wait_s, down_s = house.random.uniform(5, 40), house.random.uniform(0, 2)
                _let_pass(wait_s)
                house.database.engine.dispose()
                server.kill()
                _let_pass(down_s)
                server.start()
            statuses = house.wait_all(600)
            duplicates = [ends for ends in map(house.ends, runs) if ends.count("succeeded") != 1]
            others = [end for run_id in runs for end in house.ends(run_id) if end != "succeeded"]
            print(
                f"T17: Postgres killed {server.kills} times; {statuses.count('succeeded')}/{RUNS} done, "
                f"{len(duplicates)} duplicates, attempts that ended otherwise: {others or 'none'}; "
                f"digest {'equal' if house.digest() == expected else 'DIFFERS'}"
            )
            assert statuses == ["succeeded"] * RUNS
            assert duplicates == []
            assert house.digest() == expected
            assert house.api is not None
            assert house.api.is_alive()
        finally:
            house.close_processes()
            house.database.close()


def _let_pass(seconds: float) -> None:
    end = time.monotonic() + seconds
    until(lambda: time.monotonic() >= end, "some time", seconds + 5)
