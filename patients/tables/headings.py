"""Which column holds what, guessed from its heading in English, Spanish or Portuguese."""

from collections.abc import Sequence

from patients.enums import ImportField
from patients.matching.people import fold

F = ImportField
_WORDS = {
    F.MRN: (
        "mrn|record number|medical record number|patient id|patientid|id|numero de historia|historia clinica|"
        "nhc|prontuario|numero do prontuario|record"
    ),
    F.GIVEN_NAME: (
        "given name|first name|firstname|forename|given|nombre|nombres|primer nombre|nome|primeiro nome|prenome"
    ),
    F.FAMILY_NAME: (
        "family name|last name|lastname|surname|family|apellido|apellidos|primer apellido|sobrenome|apelido|ultimo nome"
    ),
    F.FULL_NAME: "name|full name|patient name|patient|nombre completo|nombre y apellidos|paciente|nome completo",
    F.PREFERRED_NAME: "preferred name|nickname|known as|nombre preferido|nombre social|nome social|apodo",
    F.BIRTH_DATE: (
        "birth date|birthdate|date of birth|dob|born|fecha de nacimiento|fecha nacimiento|nacimiento|"
        "data de nascimento|data nascimento|nascimento"
    ),
    F.GENDER: "gender|sex|sexo|genero",
    F.LANGUAGE: "language|preferred language|idioma|lengua|lingua",
    F.PHONE: (
        "phone|mobile|mobile phone|cell|cell phone|cellphone|telephone|phone number|telefono|movil|celular|"
        "telefono movil|telefone|telemovel"
    ),
    F.OTHER_PHONE: (
        "home phone|other phone|phone 2|second phone|work phone|telefono fijo|otro telefono|telefono 2|"
        "telefone fixo|outro telefone|telefone 2"
    ),
    F.EMAIL: "email|e mail|mail|email address|correo|correo electronico|endereco de email",
    F.IDENTIFIER: (
        "identifier|national id|identity number|ssn|social security number|passport|dni|nie|cedula|documento|"
        "curp|cpf|rg|document|identity"
    ),
    F.LINE: (
        "address|street|address line 1|address 1|street address|direccion|calle|domicilio|endereco|rua|logradouro"
    ),
    F.EXTRA_LINE: "address line 2|address 2|apartment|unit|direccion 2|complemento",
    F.CITY: "city|town|suburb|ciudad|localidad|municipio|cidade|poblacion",
    F.REGION: "state|province|region|county|estado|provincia|departamento|uf",
    F.POSTAL_CODE: "postal code|postcode|zip|zip code|zipcode|codigo postal|cp|cep",
    F.COUNTRY: "country|pais",
    F.SITE_NAME: "site|clinic|location|centro|sede|clinica|unidade",
}
_KNOWN = {word: str(field) for field, words in _WORDS.items() for word in words.split("|")}


def guess(header: Sequence[str]) -> list[str]:
    """For each column the field it seems to hold, empty where none; each field is given once, to the first column."""
    found: list[str] = []
    for heading in header:
        field = _KNOWN.get(fold(heading), "")
        if field == F.PHONE and F.PHONE in found:
            field = F.OTHER_PHONE
        found.append("" if field in found else str(field))
    return found
