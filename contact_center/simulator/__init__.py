"""A provider to practise with: Twilio's HTTP interface, a mailbox and a patient's phone, all on this machine.

It is a stranger to the rest of the house: it speaks to it only through the interfaces that real providers
and patients use, and keeps its own state.
"""
