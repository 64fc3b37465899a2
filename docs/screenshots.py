"""Draw the faces of a run for the documentation: `docs/screenshots.py [RUN_FOLDER]` (`make docs`).

Without a folder it runs the demo first (about a minute). `run.svg` is what `coldbench report` prints,
`report.png` and `report-phone.png` are the page in a headless Chromium, where one is installed.
"""

import re
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import CONSOLE_SVG_FORMAT, Console
from rich.terminal_theme import TerminalTheme

from coldbench.analysis import open_run
from coldbench.report.html.page import read_page
from coldbench.report.terminal import face

IMAGES = Path(__file__).parent / "images"
WIDTH = 100

THEME = TerminalTheme(
    (22, 27, 34),
    (230, 237, 243),
    [(72, 79, 88), (255, 123, 114), (63, 185, 80), (227, 179, 65), (88, 130, 246), (188, 140, 255),
     (57, 197, 207), (177, 186, 196)],
    [(125, 133, 144)],
)  # fmt: skip

# Without the fonts that rich would have the reader's browser fetch.
FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)

DEMO = (
    *("run", "--name", "demo", "--seed", "1", "--profile", "burst"),
    *("--url", "lab:python?idle=2s", "--url", "lab:node?idle=2s", "--url", "lab:custom?idle=2s"),
    *("--set", "size=4", "--set", "idle.duration=3s", "--set", "repeat=10"),
)


def draw(folder: Path, image: Path) -> None:
    """Write the face of the run in `folder` to `image`."""
    console = Console(
        record=True,
        width=WIDTH,
        file=StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    shown_as = Path("reports") / folder.name
    console.print(face(open_run(folder), shown_as, console))
    image.parent.mkdir(exist_ok=True)
    # A fixed id: the file changes only when the picture does.
    console.save_svg(
        str(image), title="coldbench report", theme=THEME, code_format=FORMAT, unique_id="coldbench"
    )


def photograph(folder: Path) -> None:
    """Write pictures of the page of the run in `folder`; says so where there is no browser."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("chromium is not installed: the pictures of the page are left as they are")  # noqa: T201
        return
    with TemporaryDirectory() as work:
        page = Path(work) / "report.html"
        page.write_text(read_page(folder, open_run(folder)), encoding="utf-8")
        # A headless window is never narrower than 500 pixels: the phone is a frame in it.
        phone = Path(work) / "phone.html"
        phone.write_text(
            f'<style>*{{margin:0;border:0}}</style><iframe src="{page.name}" width="390" height="1600">'
        )
        for shown, name, size in ((page, "report.png", "1000,1900"), (phone, "report-phone.png", "390,1600")):
            subprocess.run(
                [
                    chromium,
                    *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
                    *(f"--user-data-dir={work}/profile", f"--window-size={size}"),
                    *("--virtual-time-budget=5000", f"--screenshot={IMAGES / name}", shown.as_uri()),
                ],
                check=True,
                stderr=subprocess.DEVNULL,
            )


def main() -> None:
    """Draw the run that was named, or a fresh one of the demo."""
    if len(sys.argv) > 1:
        picture(Path(sys.argv[1]))
        return
    with TemporaryDirectory() as reports:
        command = Path(sys.executable).with_name("coldbench")
        subprocess.run([command, *DEMO, "--out", reports], check=True)
        (folder,) = Path(reports).iterdir()
        picture(folder)


def picture(folder: Path) -> None:
    """All pictures of one run."""
    draw(folder, IMAGES / "run.svg")
    photograph(folder)


if __name__ == "__main__":
    main()
