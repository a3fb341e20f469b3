"""Whether two descriptions may be of one person. Pure: no database, no settings."""
