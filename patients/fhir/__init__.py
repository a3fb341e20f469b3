"""FHIR R4 at the edge: resources read into descriptions. Pure: no database."""
