"""Writes of complaints: keyword-only verbs. Each locks the row, checks, moves, keeps who and why, tells the sockets."""
