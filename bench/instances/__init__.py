"""Instances with the best bounds that anybody has proved: entries that are kept, checked, and moved by submissions.

entries.py     what is kept of an instance: the history of its bounds, the arrays of the best, its class
submission.py  networks, Θ and proof arrays out of a file that may be hostile
submit.py      what a submission proves, and whether it moves the instance; nothing in it is believed
check.py       every stored bound proved again
"""
