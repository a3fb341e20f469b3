"""Project and composition root. Imports nothing: the launcher must stay small."""
