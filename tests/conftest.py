"""What all tests share: one thread a process for numbers, a folder for what is made once, compiled code of JAX.

The variables are set before any library that would read them is loaded, and workers of xdist and the programs that
tests start inherit them. The matrices are so small that threads only wait for each other, and each worker of xdist
would have its own. What the harness's workers get they are given by the harness (bench/engine/local.py), whatever is
set here.
"""

import os
import platform
import shutil
from tempfile import mkdtemp

ONE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NPROC")
for name in ONE:
    os.environ.setdefault(name, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")


def pytest_configure(config):
    """RELAXBENCH_TESTS: a folder of this run of pytest, shared by its workers, gone at the end.

    What JAX compiles is kept from run to run, which saves half the time of tests that train; benchmarks go without.
    """
    if not config.getoption("benchmark_only"):
        folder = config.rootpath / ".pytest_cache" / f"jax-{platform.node()}"  # not for another processor
        os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder))
        os.environ.setdefault("JAX_COMPILATION_CACHE_MAX_SIZE", str(2**28))  # with a limit it is safe for several
        os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    if "RELAXBENCH_TESTS" not in os.environ:
        os.environ["RELAXBENCH_TESTS"] = mkdtemp(prefix="relaxbench-")
        config.add_cleanup(lambda: shutil.rmtree(os.environ.pop("RELAXBENCH_TESTS"), ignore_errors=True))
