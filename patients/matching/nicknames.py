"""Short forms of given names in the languages that patients here speak. A few hundred, the common ones."""

_GROUPS = """
alexander alex sandy xander alejandro ale alexandre xande
alexandra alex sandra alejandra
andrew andy drew andres andre
anthony tony antonio tono toninho
benjamin ben benny benja
catherine katherine kathryn kate katie kathy cathy catalina cata catarina
charles charlie chuck carlos carlitos
christopher chris cristobal cristovao
christina chris tina cristina
daniel dan danny dani
david dave davi
deborah debbie deb debora
dolores lola loli
edward ed eddie ted teddy eduardo edu lalo duda
elizabeth liz lizzie beth betty eliza isabel isabella bel bella isa elisabete
enrique quique henrique rique henry harry hank
francisco paco pancho fran chico francis frank
fernando fer nando
gabriel gabo gabi biel
gabriela gabi gaby
gregory greg gregorio goyo
guadalupe lupe lupita
guillermo memo guille guilherme gui william will bill billy liam
gustavo tavo guga
ignacio nacho inacio
james jim jimmy jamie jaime
jennifer jen jenny jenifer
jesus chuy chucho
jose pepe ze joseph joe joey
joao john jack johnny jon juan juanito
jonathan jon johnny jonatan
joshua josh josue
katarina kata kati
kenneth ken kenny
lawrence larry lorenzo loren lourenco
leonardo leo
leticia lety leti
luis lucho lu louis lou luiz
manuel manolo manu mani
manuela manu
margaret maggie meg peggy marge margarita marga margarida guida rita
maria mary mari maru
mariana mari nana
matthew matt mateo teo mateus matheus
michael mike mick miguel migue mickey
nicholas nick nicky nicolas nico
patricia pat patty pati tricia paty
patrick pat paddy patricio
pedro perico pete peter
rafael rafa rafinha
raymond ray raimundo
rebecca becky becca rebeca
ricardo rick ricky richard dick rich richie
robert bob bobby rob robbie roberto beto berto
ronald ron ronnie ronaldo
rosario charo chayo
samuel sam sammy samu
sebastian seba sebas sebastiao tiao
santiago santi diego iago tiago thiago
stephen steven steve esteban estevao
stephanie steph estefania fani
susan sue susie susana susanna suzana
teresa tere terry theresa tess
theodore ted theo teodoro
thomas tom tommy tomas tome
timothy tim timmy timoteo
valentina vale tina
vicente vincent vince vini
victoria vicky vitoria tori
yolanda yoli
"""


def _groups() -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for number, line in enumerate(_GROUPS.split("\n")):
        for name in line.split():
            found.setdefault(name, set()).add(number)
    return found


_KNOWN = _groups()


def are_nicknames(one: str, other: str) -> bool:
    """True when two folded given names are forms of one; of several words the first counts."""
    a, b = one.split(" ", 1)[0], other.split(" ", 1)[0]
    return bool(_KNOWN.get(a, set()) & _KNOWN.get(b, set()))
