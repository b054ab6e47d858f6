"""How much the test parts of several splits overlap, which decides how far their scores may be believed together.

For J scores with variance σ² and correlation ρ between any two, the mean has the variance σ²(1/J + ρ(J − 1)/J), and
the sample variance s² the expectation σ²(1 − ρ): the mean's variance is (1/J + ρ/(1 − ρ))·s² (Nadeau & Bengio 2003).
What is left to know is ρ/(1 − ρ). As they do, we count the rows that two scores are computed on and neglect that the
networks behind them were trained on some of the same rows. The test part of a split is a random sample of n_test out
of the N rows that all splits draw from, so two of them share n_test²/N rows on average, which is the part n_test/N of
either: ρ = n_test/N and

    ρ/(1 − ρ) = n_test/(N − n_test).

Where training takes every row that is not for test, N − n_test is the number n of training rows, and this is the
n_test/n of the paper. Where training takes a subsample of them (option `n`), it is not: fewer training rows leave the
test parts, and so ρ, as they are. The subsample is drawn anew for each split, so that the training parts overlap less,
and what is neglected is smaller. Where test rows are subsampled (option `n_test`) they still are a random sample of
the N rows, of that size.

The test parts of folds share no rows. What their scores have in common comes from training rows, for which the same
n_test/(N − n_test), 1/3 for four folds, is the customary allowance.

Data that are generated anew for each seed share no rows: ρ = 0, the plain t-test. A test set that comes with the data
is the same for every seed: ρ = 1, and several subsamples for training say as little about other test rows as one does.
"""

from __future__ import annotations

import math

GENERATED = ("random", "spiral")  # each seed draws new rows
ROWS = {"iris": 150, "ionosphere": 351, "pima": 768, "banknote": 1372, "mnist": 5000}  # N of what each seed splits


def test_share(dataset: str, n: float, n_test: float, pool: int | None) -> float:
    """Find ρ/(1 − ρ) of the scores of several splits (see above).

    Without a record the name decides; of a data set that nothing is known of, N is at least n + n_test, which makes
    intervals wider, never narrower.

    Args:
        dataset: its name.
        n: training rows.
        n_test: test rows.
        pool: N as the record has it, 0 for data that are generated anew, None without a record.

    Returns:
        The share; infinite where the splits share one test set.
    """
    if pool == 0 or (pool is None and dataset in GENERATED):
        return 0.0
    rows = float(pool or ROWS.get(dataset, 0) or n + n_test)
    return n_test / (rows - n_test) if rows > n_test else math.inf
