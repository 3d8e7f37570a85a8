"""The list of planted faults fits the code: each old text occurs once, each fault is one, each test is there."""

import ast

import pytest

from tests.mutants.mutant import PARTS, ROOT, Mutant, all_mutants

MUTANTS = all_mutants()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.part}/{mutant.name}")
def test_a_mutant_can_be_planted(mutant: Mutant) -> None:
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    planted = mutant.planted(text)
    assert ast.dump(ast.parse(planted)) != ast.dump(ast.parse(text))
    assert mutant.tests
    assert mutant.means
    assert [path for path in mutant.tests if not (ROOT / path).exists()] == []


def test_there_are_about_sixty_in_all_parts() -> None:
    assert len(MUTANTS) >= 60
    assert {mutant.part for mutant in MUTANTS} == set(PARTS)
    assert len({(mutant.file, mutant.old, mutant.new) for mutant in MUTANTS}) == len(MUTANTS)


def test_an_old_text_that_moved_is_noticed() -> None:
    one = MUTANTS[0]
    with pytest.raises(ValueError, match="occurs 0 times"):
        one.planted("")
    with pytest.raises(ValueError, match="occurs 2 times"):
        one.planted(one.old * 2)
