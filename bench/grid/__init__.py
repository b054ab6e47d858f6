"""What a run is to do.

config.py       the configs that ship, and TOML as tables
spec.py         Spec: a run, checked key by key
resolve.py      resolve: config and command line → Spec
registry.py     the one table of methods: functions, axes, memory, looks
entries.py      how many array entries a method holds
methods.py      methods by name, also of the user's files, and the check of their options
model.py        activation and loss, by which training problems differ
data.py         Data: which data, and how to load them again
cell.py         Cell and its hash; expand: Spec → cells
fingerprint.py  a fingerprint of the code that computes a result
own_files.py    the files behind a method of the user
tolerances.py   the columns that are compared, with their tolerances
"""
