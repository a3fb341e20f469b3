"""Whether two descriptions are of one person: levels, reasons, and that slips still meet in a key."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.linkage import FOLDER, SETS, read, suggestions
from patients.matching.blocking import keys_of
from patients.matching.people import fold, person, place
from patients.matching.scoring import compare
from patients.matching.verdict import Level, Rarity, Reason

BORN = date(1984, 3, 9)
HOME = place(line="12 Calle Ocho", city="Miami", postcode="33135", region="FL")
CITY = Rarity(100_000, {"maria": 2600}, {"garcia": 2100})


def someone(given="Íñigo", family="Arregui", birth_date=BORN, **more):
    return person(1, given=given, family=family, birth_date=birth_date, **more)


def verdict(one, other):
    return compare(one, other, CITY)


@pytest.mark.parametrize(
    ("other", "level", "reasons"),
    [
        (someone(), Level.CERTAIN, [Reason.GIVEN_SAME, Reason.FAMILY_SAME, Reason.BIRTH_SAME]),
        (someone("Inigo"), Level.CERTAIN, [Reason.GIVEN_SAME, Reason.FAMILY_SAME, Reason.BIRTH_SAME]),
        (someone("Íñgio"), Level.CERTAIN, [Reason.GIVEN_ALIKE, Reason.FAMILY_SAME, Reason.BIRTH_SAME]),
        (someone("Arregui", "Íñigo"), Level.CERTAIN, [Reason.NAMES_SWAPPED, Reason.BIRTH_SAME]),
        (
            someone(birth_date=date(1984, 9, 3)),
            Level.CERTAIN,
            [Reason.GIVEN_SAME, Reason.FAMILY_SAME, Reason.BIRTH_SWAPPED],
        ),
        (
            someone(birth_date=date(1951, 1, 27)),
            Level.POSSIBLE,
            [Reason.GIVEN_SAME, Reason.FAMILY_SAME, Reason.BIRTH_DIFFERS],
        ),
        (
            someone("Marta", "Soler", date(1951, 1, 27)),
            None,
            [],
        ),
    ],
)
def test_what_speaks_for_one_person_is_weighed_and_named(other, level, reasons):
    found = verdict(someone(), other)
    assert (found.level, list(found.reasons)) == (level, reasons)


def test_a_common_name_says_less_than_a_rare_one():
    common = verdict(someone("Maria", "Garcia"), someone("Maria", "Garcia"))
    assert (common.level, verdict(someone(), someone()).level) == (Level.LIKELY, Level.CERTAIN)


def test_a_short_form_of_a_name_counts_for_it():
    found = verdict(someone("William", "Sondergeld"), someone("Bill", "Sondergeld"))
    assert (found.level, found.reasons[0]) == (Level.CERTAIN, Reason.GIVEN_SHORT)


def test_twins_are_never_certain():
    shared = {"contacts": [("phone", "+13055550100")], "places": [HOME]}
    found = verdict(someone("Ana", **shared), someone("Marta", **shared))
    assert (found.level, found.reasons[0]) == (Level.LIKELY, Reason.GIVEN_DIFFERS)


@pytest.mark.parametrize(
    ("one", "other"), [("Luis", "Luisa"), ("Mario", "Maria"), ("Daniel", "Daniela"), ("Jose", "Josue")]
)
def test_twins_whose_names_are_alike_are_not_certain_either(one, other):
    shared = {"contacts": [("phone", "+13055550100")], "places": [HOME]}
    known = Rarity(100_000, {"jose": 900, "josue": 300})
    found = compare(someone(one, **shared), someone(other, **shared), known)
    assert (found.level, found.reasons[0]) == (Level.LIKELY, Reason.GIVEN_NEIGHBOUR)
    slip = compare(someone("Daneil", **shared), someone("Daniel", **shared), known)
    assert (slip.level, slip.reasons[0]) == (Level.CERTAIN, Reason.GIVEN_ALIKE)


def test_another_family_name_is_excused_where_all_else_is_the_same():
    married = someone(family="Villalobos", places=[HOME])
    found = [verdict(someone(places=[HOME]), married), verdict(someone(), someone(family="Villalobos"))]
    assert [one.level for one in found] == [Level.CERTAIN, Level.POSSIBLE]


def test_a_phone_of_the_whole_house_makes_nobody_certain():
    shared = {"contacts": [("phone", "+13055550100")], "places": [HOME]}
    found = verdict(someone(**shared), someone("Luisa", "Prado", date(1990, 5, 1), **shared))
    assert found.level is None


def test_two_numbers_of_one_register_speak_against():
    same = verdict(someone(identifiers=[("national", "4411")]), someone(identifiers=[("national", "9922")]))
    assert (same.level, same.reasons[-1]) == (Level.POSSIBLE, Reason.IDENTIFIER_DIFFERS)


@pytest.mark.parametrize(
    "other",
    [
        someone("Inigo", "Aregui"),
        someone("Iñigo", "Zzz"),
        someone(birth_date=None, contacts=[("phone", "+13055550100")]),
        someone("X", "Y", BORN),
        someone("X", "Y", date(1984, 9, 3)),
        someone("X", "Y", None, places=[HOME]),
    ],
)
def test_descriptions_with_a_slip_share_a_key(other):
    one = someone(contacts=[("phone", "+13055550100")], places=[HOME])
    assert set(keys_of(one)) & set(keys_of(other))


def test_words_are_folded_and_other_scripts_kept():
    assert [fold(text) for text in ("  Núñez-O'Neill ", "Łódź", "محمد", "李", "🙂")] == [
        "nunez o neill",
        "lodz",
        "محمد",
        "李",
        "",
    ]


names = st.text(max_size=30)
people = st.builds(
    person,
    st.just(1),
    given=names,
    family=names,
    birth_date=st.none() | st.dates() | st.sampled_from(["19000231", "20001301"]),
    contacts=st.lists(st.tuples(names, names), max_size=2),
    identifiers=st.lists(st.tuples(names, names), max_size=2),
    places=st.lists(st.builds(place, line=names, city=names, postcode=names), max_size=2),
)


@settings(max_examples=50, deadline=None)
@given(people, people)
def test_any_two_descriptions_are_compared_alike_from_both_sides(one, other):
    assert compare(one, other, CITY).score == compare(other, one, CITY).score
    assert keys_of(one) == sorted(set(keys_of(one)))


@pytest.mark.skipif(not FOLDER.is_dir(), reason="needs the linkage files")
@pytest.mark.parametrize("name", sorted(SETS))
def test_what_is_called_certain_or_likely_holds_on_files_whose_truth_is_known(name):
    found, truth = read([FOLDER / file for file in SETS[name]])
    levels = {pair: verdict.level for pair, verdict in suggestions(found).items()}
    certain = {pair for pair, level in levels.items() if level == Level.CERTAIN}
    shown = {pair for pair, level in levels.items() if level != Level.POSSIBLE}
    precision, recall = len(shown & truth) / len(shown), len(shown & truth) / len(truth)
    print(
        f"linkage {name}: certain {len(certain & truth)}/{len(certain)}, precision {precision:.4f}, recall {recall:.4f}"
    )
    assert len(certain & truth) >= 0.999 * len(certain)
    assert (recall >= 0.96, 2 * precision * recall / (precision + recall) >= 0.985) == (True, True)
