"""REST API v1 of the desk: the pages' selectors, services and policies, for machines."""
