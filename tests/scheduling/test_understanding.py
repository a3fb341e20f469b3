"""What patients mean by short words in three languages; doubt, conditions and contradictions are left to a person."""

import pytest

from contact_center.simulator.demo_content import BUTTONS
from scheduling.understanding import Meaning, Said, understand

YES = (
    "yes", "Yes!", "YES", "yeah that sounds good", "yep", "Sure", "ok", "okay thanks", "I'll be there", "I will come",
    "confirm", "Confirmed, thank you", "see you then", "Of course!", "yes please", "👍", "👍🏽", "✅",
    "Yes I can make it",
    "sí", "Si", "si gracias", "Claro que sí", "por supuesto", "vale", "ahí estaré", "confirmo", "Sí, voy a ir",
    "Si asistire", "de acuerdo", "Buenos días, sí, confirmo mi cita", "perfecto, gracias", "dale", "no hay problema",
    "sim", "Sim, vou", "com certeza", "confirmado", "estarei lá", "tá bom", "pode confirmar", "ok, obrigada", "beleza",
)  # fmt: skip
NO = (
    "no", "No.", "nope", "I can't", "I can't make it", "sorry, I won't be able to come", "not coming", "no thanks",
    "I am sick", "👎", "❌", "no, sorry", "that is not ok", "I don't think so", "no estoy de acuerdo",
    "no puedo", "No podré ir", "no voy a poder asistir", "Lo siento, no puedo", "imposible", "creo que no",
    "não", "nao posso", "Não vou poder ir", "não consigo", "infelizmente não posso", "de jeito nenhum",
)  # fmt: skip
MOVE = (
    "can I reschedule?", "I need another time", "Could we move it to Friday?", "yes but I need a different day",
    "change my appointment please", "¿puedo cambiar la cita?", "necesito otra fecha", "quiero reprogramar",
    "No puedo, ¿otro día?", "prefiero otro horario", "preciso remarcar", "queria outro horário", "pode ser outro dia?",
)  # fmt: skip
CANCEL = (
    "please cancel my appointment", "I want to cancel the visit", "quiero cancelar la cita",
    "cancele mi cita por favor",
    "quero cancelar minha consulta", "pode desmarcar",
)  # fmt: skip
UNCLEAR = (
    "", "?", "maybe", "I'm not sure", "I don't know yet", "no sé", "tal vez", "talvez", "não sei ainda",
    "if my son can drive me", "si puedo, voy", "se der eu vou", "don't cancel", "no cancele mi cita",
    "What should I bring?", "who is this", "my chest hurts", "no me gusta esperar tanto", "no, yes", "1 no", "1 or 2",
    "at 1", "12:30", "is the appointment confirmed?", "¿está confirmada mi cita?", "I already cancelled", "yes or no?",
    "voy tarde", "thanks", "llámeme por favor", "x" * 500, "is it ok if I bring my son with me to the room?",
)  # fmt: skip


@pytest.mark.parametrize(
    ("meaning", "texts"), [("yes", YES), ("no", NO), ("move", MOVE), ("cancel", CANCEL), ("unclear", UNCLEAR)]
)
def test_words_are_understood_or_left_to_a_person(meaning, texts):
    assert {text: understand(text).meaning.value for text in texts} == dict.fromkeys(texts, meaning)


def test_a_tap_on_a_button_of_the_reminder_is_understood_by_its_words():
    wanted = {"confirm": Meaning.YES, "change": Meaning.MOVE}
    taps = [tap for buttons in BUTTONS.values() for tap in buttons]
    assert [understand(text).meaning for text, _key in taps] == [wanted[key] for _text, key in taps]


def test_numbers_alone_or_beside_words_that_agree():
    said = {
        "1": 1,
        " 2. ": 2,
        "#3": 3,
        "1️⃣": 1,
        "uno": 1,
        "dois": 2,
        "option 1": 1,
        "1 please": 1,
        "1 sí": 1,
        "1. yes": 1,
    }
    said |= {"2 otra fecha": 2, "3 no puedo": 3, "5": 5}
    assert {text: understand(text).number for text in said} == said


def test_a_bare_cancel_has_two_meanings():
    texts = ("cancel", "CANCEL", "Cancelar", "cancelar por favor", "cancel please")
    assert {understand(text).meaning for text in texts} == {Meaning.BARE_CANCEL}


def test_an_answer_with_a_question_or_much_more_is_done_and_read_by_a_person_too():
    assert understand("yes, what should I bring?") == Said(Meaning.YES, has_more=True)
    assert understand("yes and by the way my mother has had pain in her leg since monday").has_more
    assert understand("ok but I have a fever") == Said(Meaning.YES, has_more=True)
    assert not understand("yes, thank you very much").has_more
