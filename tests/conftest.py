"""What all tests share: one thread a process for numbers, set before any library that would read it is loaded.

The matrices are so small that threads only wait for each other, and each worker of xdist would have its own. What the
harness's workers get they are given by the harness (bench/engine/local.py), whatever is set here.
"""

import os

ONE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NPROC")
for name in ONE:
    os.environ.setdefault(name, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
