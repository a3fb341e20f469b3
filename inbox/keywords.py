"""Carrier keywords: STOP, START, HELP in English, Spanish, Portuguese and French.

A keyword counts only when it is the whole message, so "please don't stop my treatment" opts nobody out.
Sources: Twilio's default opt-out words, the AWS required list (ARRET, REMOVE, TD, OPT-OUT), 47 CFR 64.1200(a)(10),
and their plain equivalents in Spanish, Portuguese and French.
"""

import re
import unicodedata
from enum import StrEnum


class Keyword(StrEnum):
    STOP = "stop"
    START = "start"
    HELP = "help"


_WORDS: dict[Keyword, str] = {
    Keyword.STOP: (
        "stop,stopall,stop all,unsubscribe,end,quit,revoke,optout,opt out,cancel,remove,td,"
        "alto,parar,pare,baja,darme de baja,cancelar,no mas,no mas mensajes,detener,"
        "sair,descadastrar,parar mensagens,remover,cancelar inscricao,"
        "arret,arreter,arretez,stopper,desabonner,desinscrire"
    ),
    Keyword.START: (
        "start,unstop,subscribe,optin,opt in,resume,"
        "alta,empezar,iniciar,reanudar,activar,suscribir,suscribirme,comenzar,"
        "comecar,voltar,retomar,ativar,inscrever,"
        "debut,commencer,demarrer,reprendre,abonner"
    ),
    Keyword.HELP: "help,info,ayuda,informacion,ajuda,informacao,aide,information",
}
_TABLE = {word.strip(): keyword for keyword, words in _WORDS.items() for word in words.split(",")}
DOUBLE = {"cancel", "cancelar"}
"""Opt-out words that somebody who was asked about a visit may mean otherwise."""
_NOISE = re.compile(r"[^\w\s]+|_+")


def fold(text: str) -> str:
    """Lower case, without accents, punctuation and double spaces."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join(_NOISE.sub(" ", plain).lower().split())


def has_two_meanings(text: str) -> bool:
    """True for an opt-out word that is also an answer to a question about a visit."""
    return fold(text) in DOUBLE


def find_keyword(text: str, *, is_opted_out: bool = False) -> Keyword | None:
    """The keyword that is the whole message, or None.

    "yes", "sí", "sim" and "oui" start again only for somebody who had opted out: to everybody else they are an answer.
    """
    if len(text) > 60:
        return None
    folded = fold(text)
    keyword = _TABLE.get(folded) or _TABLE.get(folded.replace(" ", ""))
    if keyword is None and is_opted_out and folded in {"yes", "si", "sim", "oui"}:
        return Keyword.START
    return keyword
