"""Data in: named and user data become a `Dataset`.

dataset.py     Dataset (what every caller gets), Source (what a reader hands over), the seeded streams
checks.py      DataError and the checks of option values
catalogue.py   load, describe, NAMES, BROUGHT, GROUPS, OPTIONS: the one table of data sets
sampling.py    stratified samples of rows, and of groups of rows that stay together
folds.py       folds of a partition, and the split on which hyper-parameters are chosen for them
preprocess.py  medians, standardisation and PCA, fitted on training rows only
prepare.py     Source → Dataset: split, subsample, preprocess, bias, one-hot labels
generators.py  random, spiral
named.py       iris, ionosphere, pima, banknote, with their checksums
images.py      mnist: 5,000 images by default, all 70,000 on request
brought.py     possum, cifar10, from files that the user brings
userfile.py    file:PATH: arrays or a table of the user's own, checked
npzfile.py     .npz without pickles, sizes checked before anything is unpacked
csvfile.py     .csv with a header, strictly
small/         small/NAME: fifty-seven data sets out of packages, read and coded by one rule
instances/     training problems by name, with the best bounds known
files/         the three UCI files that ship, and where they come from
"""

from .catalogue import BROUGHT, GROUPS, NAMES, OPTIONS, describe, load
from .checks import DataError
from .dataset import Dataset

__all__ = ["BROUGHT", "GROUPS", "NAMES", "OPTIONS", "DataError", "Dataset", "describe", "load"]
