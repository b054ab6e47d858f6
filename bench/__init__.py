"""The harness: spec → cells → run → records → tables.

    spec.py         Spec: what a run is to do, from TOML and the command line
    methods.py      the one table of methods, and the check of their options
    cell.py         Cell and its hash; expand: Spec → cells
    fingerprint.py  a fingerprint of the code that computes a result
    worker.py       one task in a worker: data, method, metrics
    metrics.py      what a Fit scores
    pool.py         workers with limits that are enforced from outside
    run.py          run: cells → records, resuming what is there
    progress.py     the progress bar, or plain lines
    record.py       a record on disk, whole or not there
    store.py        the folder of a run; load_results, load_tightness, load_arrays, load_trace, …
    tables.py       records → results and tightness
    columns.py      the columns, each with its meaning
    environment.py  versions, machine, calibration
    verify.py       every bound proved again
    cli.py          the command line
    text.py         errors of one line that name the nearest valid value
"""
