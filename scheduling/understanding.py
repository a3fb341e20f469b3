"""What a short reply means: a number, yes, no, another time, cancel. English, Spanish and Portuguese. Pure.

It reads clause by clause: a negation turns what it stands before, the verbs of coming weigh more than "ok", and doubt,
a condition or a contradiction is left to a person. Nobody's visit is confirmed by a guess.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from inbox.keywords import Keyword, find_keyword

MOST_LETTERS = 400
FEW_WORDS = 3
"""So many words beside an answer change nothing about it; more of them a person should read."""


class Meaning(StrEnum):
    """What was understood."""

    NUMBER = "number"
    YES = "yes"
    NO = "no"
    MOVE = "move"
    CANCEL = "cancel"
    BARE_CANCEL = "bare_cancel"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Said:
    """A meaning; `number` of NUMBER; `has_more` when the words say something else too that a person should read."""

    meaning: Meaning
    number: int | None = None
    has_more: bool = False


UNCLEAR = Said(Meaning.UNCLEAR, has_more=True)

_NUMBERS = {
    **dict.fromkeys(("one", "uno", "una", "um", "uma", "primero", "primeiro", "first"), 1),
    **dict.fromkeys(("two", "dos", "dois", "duas", "segundo", "second"), 2),
    **dict.fromkeys(("three", "tres", "tercero", "terceiro", "third"), 3),
    **dict.fromkeys(("four", "cuatro", "quatro"), 4),
    **dict.fromkeys(("five", "cinco"), 5),
}
_COURTESY = (
    "please|pls|plz|thanks|thank you|thx|ty|many|very much|so much|hi|hello|hey|dear|good morning|good afternoon|"
    "good evening|sir|madam|doctor|dr|team|all|lots|kindly|"
    "por favor|porfa|porfavor|favor|muchas|muchisimas|gracias|muy amable|hola|buenos dias|buenas tardes|buenas noches|"
    "buenas|buen dia|saludos|senorita|senora|senor|doctora|estimados|"
    "obrigad[oa]|muito|muit[ao]s?|agradec\\w+|ola|oi|bom dia|boa tarde|boa noite|grat[oa]|senhora?|doutora?"
)
_DOUBT = (
    "maybe|perhaps|not sure|unsure|i don'?t know|dont know|do not know|idk|who knows|might|depends|possibly|"
    "i'?ll see|let me (?:check|see|think)|i think about|"
    "quizas?|tal vez|a lo mejor|no se|no estoy segur[oa]|depende|puede que|ya vere|voy a ver|dejeme|quien sabe|"
    "yes or no|si o no|sim ou nao|(?:already|ya|ja) (?:\\w+ )?cancel\\w*|"
    "running late|(?:be|am|i'?m) late|(?:voy|llego|llegare|llegar) tarde|atrasad[oa]|"
    "talvez|nao sei|nao tenho certeza|pode ser que|depende|vou ver|deixa eu ver|sei la"
)
_CONDITION = (
    "if (?!that changes)|unless|only if|as long as|provided|"
    "si (?:puedo|logro|llego|consigo|me|no|hay|es|el|la|tengo|pudiera|fuera|mi)\\b|siempre (?:que|y cuando)|a menos que|"
    "se (?:eu|der|conseguir|puder|nao|tiver|for|o|a|minha|meu)\\b|a menos que|desde que"
)
_MOVE = (
    "re-?schedul\\w*|postpon\\w*|re-?book\\w*|move (?:it|my|the)|change (?:it|my|the|to)|switch (?:it|my|the|to)|"
    "(?:an)?other (?:time|day|date|appointment|slot|hour|week)|different (?:time|day|date)|"
    "(?:later|earlier|sooner) (?:time|day|date|slot|appointment)|new (?:time|date|appointment)|"
    "(?:earlier|later|sooner)(?= please| possible|$)|put (?:it )?off|push (?:it )?(?:back|to)|instead|"
    "reprogram\\w*|reagend\\w*|postergar\\w*|posponer\\w*|aplazar\\w*|atrasar\\w*|adelantar\\w*|"
    "cambi(?:ar\\w*|o|e|emos|a|en) (?!de opinion)(?:la|mi|el|de|a|para|por)?|cambiarl[ao]|cambiar|"
    "otr[ao] (?:fecha|dia|hora|horario|cita|momento|semana|turno)|nueva (?:fecha|cita|hora)|"
    "mas (?:tarde|temprano)|mover\\w*|correr la (?:cita|fecha)|"
    "remarc\\w*|reagend\\w*|adi(?:ar|amento|e)\\w*|antecip\\w*|transferir|mud(?:ar|anca|a|e|o) (?:a|o|de|para|minha|meu)?|"
    "mudar|troc(?:ar|a|o|ue) (?:a|o|de|para|minha|meu)?|trocar|outr[ao] (?:data|dia|hora|horario|consulta|momento|semana)|"
    "nova (?:data|consulta)|mais (?:tarde|cedo)"
)
_CANCEL = (
    "cancel\\w*|call (?:it )?off|drop (?:it|my|the) (?:visit|appointment)?|"
    "anul\\w+|suspend\\w+ (?:la|mi) (?:cita|consulta|visita)|desmarc\\w+|desist\\w+"
)
_CANNOT = (
    "not (?:gonna|going to) (?:make it|come|be there|attend|go)|can'?t|cant|cannot|can not|could ?n'?t|won'?t|wont|will not|unable|not able|not (?:be )?(?:coming|going|attending|"
    "there|available|possible)|(?:i'?m|im|i am) (?:busy|sick|ill|away|out of town)|impossible|"
    "(?:do not|don'?t|dont) (?:come|make it|attend|need (?:it|the|this)|want (?:it|the|this|to (?:come|go)))|"
    "no longer (?:need|want|coming|able|available)|"
    "no (?:me )?(?:es|sera|seria) posible|no (?:me )?(?:voy|ire|vamos|iremos|vengo|vendre|asistire|asistiremos|acudire|"
    "estare|llego|llegare|alcanzo)|no (?:lo |la |le |me |nos )*(?:puedo|podre|podremos|podemos|podria|pudo|pude)|"
    "no (?:voy|vamos) a (?:poder|ir|asistir|llegar)|imposible|"
    "nao (?:vou|irei|vamos|iremos|poderei|posso|podemos|consigo|conseguirei|comparecerei|estarei|da|vai dar|"
    "tenho como|ha como|sera possivel|e possivel)|impossivel"
)
_COMING = (
    "(?:i'?ll|ill|i will|we'?ll|we will|i am|i'?m|im|we are|we'?re) (?:definitely |surely |still |certainly )?"
    "(?:be there|be here|come|coming|attend\\w*|make it|going|there|go)|will (?:be there|come|attend|do)|"
    "see (?:you|u|ya)|count me in|(?:i )?confirm(?:ed|ing)?|i can (?:come|make it|attend|go)|planning to|be there|"
    "ahi (?:estare|estaremos|voy|nos vemos|estoy)|alli (?:estare|estaremos|nos vemos)|alla (?:estare|nos vemos|voy)|"
    "(?:asistire|asistiremos|acudire|acudiremos|vendre|ire|iremos|estare|llegare|asisto|lo hare)|"
    "(?:si |yo )?voy(?: a (?:ir|asistir|estar|llegar))?|vamos|nos vemos|confirm(?:o|ad[oa]|amos|ada)|"
    "(?:puedo|podre|podremos) (?:ir|asistir|llegar|estar)|cuente(?:n)? conmigo|"
    "(?:vou|irei|iremos|estarei|estaremos|comparecerei|compareceremos)|(?:posso|consigo|poderei) (?:ir|comparecer)|"
    "estamos confirmados|presenca confirmada|pode confirmar|ate (?:la|amanha)|conte comigo|farei"
)
_YES = (
    "yes+|yeah+|yep|yup|yea|ya|yah|aye|sure(?: thing)?|ok(?:ay|ey|i)?|okie|k|kk|of course|certainly|absolutely|"
    "definitely|indeed|correct|right|agreed?|true|fine|good|great|perfect|excellent|sounds? good|works?|alright|"
    "y|s|no problem|roger(?: that)?|obviously|good to go|(?:that )?works for me|will do|"
    "(?:es )?verdad|obviamente|sin problemas?|no hay (?:ningun )?problema|ningun problema|"
    "e verdade|sem problemas?|nao (?:tem|ha) problema|nenhum problema|"
    "all right|affirmative|exactly|done|i do|i think so|(?:that'?s |it'?s )?(?:good|fine) (?:with|for|by) me|"
    "si+|sip|claro(?: que si)?|por supuesto|desde luego|vale|dale|bueno|buenisimo|de acuerdo|correcto|perfecto|list[oa]|"
    "segur[oa]|afirmativo|exacto|excelente|esta bien|okey|como no|genial|cierto|obvio|efectivamente|asi es|"
    "sim+|claro(?: que sim)?|com certeza|certo|ta(?: bom| bem| certo)?|esta bom|beleza|blz|pode ser|positivo|"
    "combinado|isso(?: mesmo)?|concordo|perfeito|otimo|tudo (?:bem|certo)|fechado|aceito|verdade|correto|exato|acho que sim|"
    "creo que si|sure"
)
_NO = (
    "no+|nope|nop|nah|never|negative|disagree|wrong|false|incorrect|not (?:really|at all|me|now|interested)|"
    "no way|by no means|of course not|(?:i )?(?:don'?t|dont|do not) (?:think|believe) so|(?:i'?m )?afraid not|"
    "para nada|jamas|nunca|negativo|claro que no|de ninguna manera|en absoluto|tampoco|incorrecto|falso|"
    "creo que no|por supuesto que no|no quiero|"
    "nao+|naum|n|nunca|jamais|de jeito nenhum|claro que nao|acho que nao|de forma alguma|nem pensar|errado|nao quero"
)
_NEGATIONS = r"(?:not|no|nao|isn'?t|is not|never|neither|ni|nem|don'?t|do not|dont|without|sin|sem|nunca)"
_FILLERS = r"(?:\s+(?:it|is|that|the|so|very|too|me|to|my|la|el|lo|mi|esta|es|e|a|o|muy|quiero|quero|want|wanna|need|please|todo|all|necesito|preciso|estoy|estou|i am|i'm|am))*"
_YES_SIGNS = "👍👌✅🆗✔☑🙆💯🙋😊🙂😀😃👏🤝❤"
_NO_SIGNS = "👎❌🚫✖🙅⛔🙁☹😞"
_CONTRAST = re.compile(r"[.!?;,\n…:]+|\s[-–—]\s|\bbut\b|\bpero\b|\bmas\b(?! (?:tarde|temprano))|\bhowever\b|\bporem\b")


def _whole(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)")


_PATTERNS = {name: _whole(words) for name, words in {
    "courtesy": _COURTESY, "doubt": _DOUBT, "condition": _CONDITION, "move": _MOVE, "cancel": _CANCEL,
    "cannot": _CANNOT, "coming": _COMING, "yes": _YES, "no": _NO,
}.items()}  # fmt: skip
_BUT = _whole("but|pero|however|porem|mas(?! (?:tarde|temprano))")
_NEGATED = re.compile(rf"(?<!\w){_NEGATIONS}{_FILLERS}\s+$")
_ACCENTED_YES = re.compile(r"(?<!\w)sí(?!\w)", re.IGNORECASE)
_LEAD = re.compile(r"^(?:option|opcion|opcao|answer|reply|number|numero|num|no|nro|n|respuesta|resposta|#)?\s*#?")
_BARE_NUMBER = re.compile(r"^(\d)$")


def understand(text: str) -> Said:
    """The meaning of a reply to a question about a visit. Never raises; what is not plain is UNCLEAR."""
    if len(text) > MOST_LETTERS:
        return UNCLEAR
    plain = _plain(text)
    if not plain:
        return UNCLEAR
    core = " ".join(_PATTERNS["courtesy"].sub(" ", _words_only(plain)).split())
    number = _number(core, plain)
    if number is not None:
        return number
    if _is_bare_cancel(core):
        return Said(Meaning.BARE_CANCEL)
    if _PATTERNS["doubt"].search(plain):
        return UNCLEAR
    has_condition = bool(_PATTERNS["condition"].search(plain)) and not _ACCENTED_YES.search(text)
    is_asking = "?" in text
    wish = _wish(plain)
    if wish is not None:
        return Said(wish, has_more=is_asking or has_condition) if wish != Meaning.UNCLEAR else UNCLEAR
    if has_condition:
        return UNCLEAR
    clauses = _answers(plain, has_accented=bool(_ACCENTED_YES.search(text)))
    return _settled(clauses, is_asking=is_asking, is_limited=bool(_BUT.search(plain)))


def _plain(text: str) -> str:
    """Lower case, plain letters, straight quotes; keycaps become digits."""
    text = text.replace("’", "'").replace("`", "'").replace("️", "").replace("⃣", "")
    folded = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in folded if not unicodedata.combining(sign)).strip()


def _words_only(plain: str) -> str:
    return " ".join(re.sub(r"[^\w\s#']", " ", plain).split())


def _number(core: str, plain: str) -> Said | None:
    """A number that is the whole answer, or stands beside words that say the same."""
    words = _LEAD.sub("", core, count=1).split()
    if not words or (len(words) == 1 and not words[0].isdigit() and words[0] not in _NUMBERS):
        return None
    digits = [word for word in words if word.isdigit()]
    if len(words) == 1:
        value = int(words[0]) if words[0].isdigit() else _NUMBERS[words[0]]
        return Said(Meaning.NUMBER, value) if 1 <= value <= 9 else None
    if len(digits) != 1 or words[0] != digits[0] or not _BARE_NUMBER.match(digits[0]):
        return None
    if re.search(r"\d\s*(?::|h\b|am\b|pm\b|/|\bde\b|\bof\b|\bo'?clock)", plain):
        return None  # a time or a day
    meant = understand(" ".join(words[1:])).meaning
    agrees = {1: {Meaning.YES}, 2: {Meaning.MOVE}, 3: {Meaning.NO, Meaning.CANCEL, Meaning.BARE_CANCEL}}
    if meant in agrees.get(int(digits[0]), set()):
        return Said(Meaning.NUMBER, int(digits[0]))
    return UNCLEAR


def _is_bare_cancel(core: str) -> bool:
    words = re.sub(r"^(?:yes|si|sim|ok|quiero|quero|i want to|i'd like to|want to)\s+", "", core)
    return bool(re.fullmatch(r"cancel(?:ar|a|e|o|l?ed|ad[oa]|lation|acion)?", words)) or (
        find_keyword(core) == Keyword.STOP and core.startswith("cancel")
    )


def _wish(plain: str) -> Meaning | None:
    """Another time or cancelling, unless it is negated; both at once is another time."""
    found = {name: _polarity(plain, name) for name in ("move", "cancel")}
    if found["move"]:
        return Meaning.MOVE
    if found["cancel"]:
        return Meaning.CANCEL
    if found["move"] is False or found["cancel"] is False:  # "do not cancel": it stands, but a person should look
        return Meaning.UNCLEAR
    return None


def _polarity(text: str, name: str) -> bool | None:
    for match in _PATTERNS[name].finditer(text):
        if not _NEGATED.search(text[: match.start()]):
            return True
    return False if _PATTERNS[name].search(text) else None


def _answers(plain: str, *, has_accented: bool) -> list[tuple[bool | None, int]]:
    """Of each clause what it answers, if anything, and how many other words it has."""
    return [_answer_of(clause.strip(), has_accented=has_accented) for clause in _CONTRAST.split(plain)]


def _answer_of(clause: str, *, has_accented: bool) -> tuple[bool | None, int]:
    left = _PATTERNS["courtesy"].sub(" ", clause)
    signs = [sign in _YES_SIGNS for sign in left if sign in _YES_SIGNS + _NO_SIGNS]
    words = _words_only(left)
    if not words:
        return (signs[0] if len(set(signs)) == 1 else None), 0
    for name, value in (("cannot", False), ("coming", True)):
        match = _PATTERNS[name].search(words)
        if match:
            is_turned = bool(_NEGATED.search(words[: match.start()]))
            return value is not is_turned, _others(words, _PATTERNS[name])
    for match in _PATTERNS["yes"].finditer(words):
        before = words[: match.start()]
        if _NEGATED.search(before):
            return False, _others(words, _PATTERNS["yes"])
    return _leading(words, signs, has_accented=has_accented)


def _leading(words: str, signs: list[bool], *, has_accented: bool) -> tuple[bool | None, int]:
    """A yes or no that begins the clause or is most of it."""
    for name, value in (("no", False), ("yes", True)):
        match = _PATTERNS[name].search(words)
        if match is None:
            continue
        others = _others(words, _PATTERNS[name])
        is_led = match.start() == 0 and (others == 0 or value or _stands_alone(words, match.end()))
        is_told = value and (has_accented or (others <= FEW_WORDS and match.end() == len(words)))
        is_said = not value and match.end() == len(words)
        if is_led or is_told or is_said:
            return value, others
    return (signs[0] if len(set(signs)) == 1 else None), len(words.split())


def _stands_alone(words: str, end: int) -> bool:
    """A "no" before other words is an answer only where those do not make it a negation of something else."""
    after = words[end:].split()
    return not after or after[0] in {
        "i",
        "we",
        "yo",
        "eu",
        "it",
        "this",
        "esta",
        "lo",
        "sorry",
        "disculpe",
        "perdon",
        "desculpe",
    }


def _others(words: str, pattern: re.Pattern[str]) -> int:
    return len(pattern.sub(" ", words).split())


def _settled(clauses: Sequence[tuple[bool | None, int]], *, is_asking: bool, is_limited: bool) -> Said:
    """One answer, or the last of several when it is no; what goes from no to yes is a contradiction.

    A question is no answer, unless another clause is one in itself.
    """
    found = [answer for answer, _others in clauses if answer is not None]
    is_plain = any(answer is not None and others == 0 for answer, others in clauses)
    rest = sum(others for _answer, others in clauses)
    if not found or (is_asking and not is_plain):
        return UNCLEAR
    if found[-1] and not all(found):
        return UNCLEAR
    return Said(Meaning.YES if found[-1] else Meaning.NO, has_more=is_asking or is_limited or rest > 2 * FEW_WORDS)
