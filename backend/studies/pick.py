"""Which arm is meant by a name that a person wrote."""

from backend.shared.errors import InvalidInput


def pick(wanted: str, arms: list[tuple[str, str, str]], pointer: str = "/baseline") -> int:
    """Index of the arm (key, label, method) that is meant; raises InvalidInput where none is, or several are."""
    for place in range(3):
        found = [i for i, arm in enumerate(arms) if arm[place] == wanted]
        if len(found) == 1:
            return found[0]
        if found:
            several = ", ".join(f"'{arms[i][1]}'" for i in found[:5])
            raise InvalidInput(f"'{wanted}' means several arms ({several}); give the label or key of one", pointer)
    known = ", ".join(f"'{arm[1]}'" for arm in arms[:10])
    raise InvalidInput(f"no arm is called '{wanted[:100]}'; there are {known}", pointer)
