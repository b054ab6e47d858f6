"""Make docs/gallery.md and docs/pictures out of the folder of a run: python docs/gallery.py build/gallery."""

import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from relaxbench.reports import ReportError, report
from relaxbench.reports.figures import FIGURES
from relaxbench.reports.reading import read

HERE = Path(__file__).resolve().parent
WIDTH = 1050  # pixels
HEAD = """# Gallery

Every figure of a report, from one run of `docs/gallery.toml`. `make gallery` makes run, pictures and this page again;
`relaxbench report DIR --figure NAME` draws one figure of a run of yours. What a caption says is computed from the data.
Figures over many data sets (`critical-difference`, `against`, `against-r2`) take a run of the protocol `folds`.
"""


def gallery(folder: Path) -> str:
    """Write a picture for each figure that the run in `folder` has numbers for; returns the page."""
    results, parts = read(folder), [HEAD]
    for name, kind in FIGURES.items():
        try:
            path = report(folder, figure=name, format="png")
        except ReportError as error:
            print(f"{name}: {error}")
            continue
        (HERE / "pictures" / f"{name}.png").write_bytes(small(path))
        caption = kind.caption(kind.data(results))
        parts.append(f"## {kind.title}\n\n`--figure {name}`\n\n![{kind.title}](pictures/{name}.png)\n\n{caption}\n")
    return "\n".join(parts)


def small(path: Path) -> bytes:
    """The picture at WIDTH pixels."""
    with Image.open(path) as picture:
        height = round(picture.height * WIDTH / picture.width)
        scaled = picture.convert("RGB").resize((WIDTH, height), Image.Resampling.LANCZOS)
    content = BytesIO()
    scaled.save(content, "PNG", optimize=True)
    return content.getvalue()


if __name__ == "__main__":
    (HERE / "gallery.md").write_text(gallery(Path(sys.argv[1])), encoding="utf-8")
