"""The harness: spec → cells → tasks → records → tables.

spec.py         Spec: what a run is to do, from TOML and the command line
methods.py      the one table of methods, and the check of their options
cell.py         Cell and its hash; expand: Spec → cells
fingerprint.py  a fingerprint of the code that computes a result
own_files.py    the files behind a method of the user
run.py          run: a spec into a folder, resuming what is there
schedule.py     which task when; results become records
task.py         Task and Result: what goes to a worker and what comes back
estimate.py     how much memory a task will need
pool.py         workers with limits enforced from outside
dask_pool.py    the same through dask.distributed, on other machines
start.py        the first thing a worker process does
worker.py       prepare, work, collect, prove: a task in a worker
crossval.py     γ chosen by cross-validation on the training rows
outcome.py      what a method returned → Result
gate.py         a claimed bound → lower_bound, if the checker proves it
alarms.py       bounds that contradict a network, or were not proved
metrics.py      what a Fit scores
memory.py       how much memory there is, and is held
progress.py     the progress bar, or plain lines
plan.py         the cells of a folder, those of earlier runs included
record.py       a record on disk, whole or not there
store.py        the folder of a run; load_results, load_tightness, load_arrays, load_trace, …
tables.py       rows of records → results and tightness
columns.py      the columns, each with its meaning
environment.py  versions, machine, calibration
verify.py       every bound proved again
verify_records.py
                whether table, plan and records tell of the same cells
compare.py      compare: is the candidate worse than the base? Three classes of check and an exit code
compare_columns.py, compare_match.py, compare_checks.py, compare_cost.py, compare_environment.py, compare_show.py
                its columns with their tolerances, pairs of cells, checks, costs, what differs, and the formats
ab.py           ab: the working tree against a commit, by interleaved pairs of runs
ab_sides.py, ab_measure.py, ab_decide.py
                the code of both sides, one measurement of either, and the decision with its false-alarm rate
nightly.py      nightly: run, verify, compare with the night before, keep the history, report
history.py      the history of the nights: load_history, trends, steps
cli.py          the command line
text.py         errors of one line that name the nearest valid value
"""
