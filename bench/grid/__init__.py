"""What a run is to do.

config.py       the configs that ship, and TOML as tables
spec.py         Spec: a run, checked key by key
resolve.py      resolve: config and command line → Spec
methods.py      the one table of methods, and the check of their options
cell.py         Cell and its hash; expand: Spec → cells
fingerprint.py  a fingerprint of the code that computes a result
own_files.py    the files behind a method of the user
tolerances.py   the columns that are compared, with their tolerances
"""
