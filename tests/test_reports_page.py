"""The page of a report on folders of every kind: whole, partial, odd, hostile."""

import pytest
from relaxbench.reports import ReportError, report

from .reports_folder import make_rows, write_folder

SMALL = {"iris": (75, 4, 3, 0.96, 1)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = write_folder(tmp_path_factory.mktemp("runs") / "whole", make_rows())
    return folder, report(folder)


def test_the_report_is_one_file_and_its_parts(whole):
    folder, index = whole
    assert index == folder / "report" / "index.html"
    for name in ("accuracy", "ratio", "width"):
        for ending in (".pdf", ".svg", ".png", "-single.pdf", ".csv", ".py"):
            assert (folder / "report" / "figures" / f"{name}{ending}").stat().st_size > 0


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"figure": "rato"}, "figure must be one of accuracy"),
        ({"figure": "ratio", "format": "jpeg"}, "format must be one of pdf"),
        ({"figure": "ratio", "style": "no-such-style"}, "style must be single"),
        ({"format": "pdf"}, "name a figure"),
    ],
)
def test_a_wrong_option_is_one_line(whole, options, word):
    with pytest.raises(ReportError, match=word) as caught:
        report(whole[0], **options)
    assert "\n" not in str(caught.value)
