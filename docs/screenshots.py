"""Draw the terminal's face of a run as an SVG: `docs/screenshots.py [RUN_FOLDER]` (`make docs`).

Without a folder it runs the demo first (about a minute). The picture is what `coldbench report` prints.
"""

import re
import subprocess
import sys
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import CONSOLE_SVG_FORMAT, Console
from rich.terminal_theme import TerminalTheme

from coldbench.analysis import open_run
from coldbench.report.terminal import face

IMAGE = Path(__file__).parent / "images" / "run.svg"
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
    *("--url", "lab:python", "--url", "lab:node", "--url", "lab:custom"),
    *("--set", "size=20", "--set", "idle.duration=8s"),
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


def main() -> None:
    """Draw the run that was named, or a fresh one of the demo."""
    if len(sys.argv) > 1:
        draw(Path(sys.argv[1]), IMAGE)
        return
    with TemporaryDirectory() as reports:
        command = Path(sys.executable).with_name("coldbench")
        subprocess.run([command, *DEMO, "--out", reports], check=True)
        (folder,) = Path(reports).iterdir()
        draw(folder, IMAGE)


if __name__ == "__main__":
    main()
