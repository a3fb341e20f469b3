"""How old patients are on the day of a visit. Pure."""

from datetime import date

OF_AGE = 18


def age_on(born: date | None, day: date) -> int | None:
    """Whole years; None when the day of birth is not known."""
    if born is None:
        return None
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def is_child(born: date | None, day: date) -> bool:
    """Whether somebody else has to bring them. Of unknown age: no."""
    age = age_on(born, day)
    return age is not None and age < OF_AGE
