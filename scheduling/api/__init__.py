"""Visits, free times and the waitlist for machines: REST, FHIR R4 and HL7 v2. The services are the pages' own."""
