"""Clínica Aurora Health: an invented clinic in Miami with patients, staff and 90 days of history, for demo and benches.

It stands above everything: it may fill every table, and nothing knows it is there. Nobody in it exists: phone numbers
are of the fictitious exchange 555, mail addresses end in `.example`.
"""
