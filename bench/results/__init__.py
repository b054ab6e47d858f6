"""Records on disk and the tables made of them.

store.py        Store: the folder of a run while it is written to
folder.py       what anyone reads from one: load_results, load_tightness, load_arrays, load_trace, …
record.py       a record on disk, whole or not there
plan.py         the cells of a folder, those of earlier runs included
columns.py      the columns, each with its meaning
tables.py       rows of records → results and tightness
alarms.py       bounds that contradict a network, or were not proved
environment.py  versions, machine, calibration
differences.py  what differs between two of them
labels.py       what was asked for in a cell, as a key and in words
history.py      the history of the nights: load_history, trends, steps
"""
