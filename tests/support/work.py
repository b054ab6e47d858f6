"""A task worked on in this process, as a worker does it in its own."""

from relaxbench.bench.engine.worker import Worker
from relaxbench.bench.scoring.gate import settle

WORKER = Worker()


def perform(task):
    """A result for each of the task's cells, or one for the relaxation that they share."""
    results = WORKER.prepare(task) or WORKER.work() or WORKER.collect()
    return settle(results, WORKER.prove())
