"""Put what `coldbench selftest` finds into docs/accuracy.md (`make docs`); about eleven minutes.

`docs/accuracy.py FILE` takes what an earlier `coldbench selftest --json FILE` found.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from msgspec import Struct

from coldbench.core.accuracy import Selftest
from coldbench.report.selftest import selftest_lines

PAGE = Path(__file__).parent / "accuracy.md"
BEGIN, END = "<!-- coldbench selftest -->\n", "<!-- end -->\n"


class Document(Struct):
    """What `--json` writes."""

    selftest: Selftest


def main() -> None:
    """Rewrite what stands between the two marks."""
    if len(sys.argv) > 1:
        found = read(Path(sys.argv[1]))
    else:
        with TemporaryDirectory() as folder:
            document = Path(folder) / "selftest.json"
            subprocess.run(["coldbench", "selftest", "--json", str(document)], check=True)
            found = read(document)
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    tables = "\n".join(selftest_lines(found, "github"))
    PAGE.write_text(f"{before}{BEGIN}\n{tables}\n\n{END}{after}")


def read(document: Path) -> Selftest:
    """What it found."""
    return msgspec.json.decode(document.read_bytes(), type=Document).selftest


if __name__ == "__main__":
    main()
