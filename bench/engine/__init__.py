"""How a run is carried out.

run.py          run: a spec into a folder, resuming what is there  ← start here
schedule.py     which task when; results become records
task.py         Task and Result: what goes to a worker and what comes back
worker.py       prepare, work, collect, prove: a task in a worker
calls.py        the call that a task comes down to
local.py        workers with limits enforced from outside
dask.py         the same through dask.distributed, on other machines
bootstrap.py    the first thing a worker process does
estimate.py     how much memory a task will need
progress.py     the progress bar, or plain lines
"""
