"""The harness: spec → cells → tasks → records → tables.

fit.py          one method on one problem, for notebooks
estimators.py   any method as an estimator of scikit-learn's
certify.py      how far a network is from the global optimum, provably
training.py     the training rows of a data set, all of them where it brings no test rows
runs.py         a run's folder as an object, for notebooks
nightly.py      nightly: run, verify, compare with the night before, keep the history, report
text.py         errors of one line, arguments refused alike, how names and numbers are written
canonical.py    values as JSON text that hashes are made of
memory.py       how much memory there is, and is held

cli/            the command line, one file a command
instances/      training problems by name: bounds kept, checked and moved; and exchange with outside solvers
networks/       a network of the user's out of a file
grid/           what a run is to do: specs, methods, cells          configs/  the configs that ship
engine/         doing it: schedule, tasks, workers, limits
scoring/        what a method returned: scores, and bounds that go through the gate
results/        records on disk and the tables made of them
compare/        is the candidate worse than the base?
ab/             the working tree against a commit, by interleaved pairs of runs
verify/         every bound of a folder proved again
"""
