"""The tour's sample data: invented heart rates, made on the spot; no person's data."""

import json
import random
from datetime import date, timedelta
from pathlib import Path

MONTHS = 3
_FIRST_DAY = date(2024, 1, 1)


def write(folder: Path) -> None:
    """Fill a folder: `data/` to upload, an agreement, a late file, and a policy that opens a bucket to all."""
    readings = folder / "data" / "readings"
    readings.mkdir(parents=True)
    (folder / "data" / "README.txt").write_text("Heart rates of nobody: made up for a tour.\n", encoding="utf-8")
    for month in range(MONTHS):
        (readings / f"2024-{month + 1:02d}.csv").write_text(_readings(month), encoding="utf-8")
    (folder / "late.csv").write_text("person,day,beats\nX,2024-12-24,61\n", encoding="utf-8")
    (folder / "agreement.pdf").write_bytes(_pdf("Data use agreement: look, but do not share. (A sample.)"))
    (folder / "open.json").write_text(json.dumps(_OPEN, indent=2) + "\n", encoding="utf-8")


_OPEN = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}],
}


def _readings(month: int) -> str:
    chance = random.Random(month)  # noqa: S311  the same invented numbers on every tour; nothing depends on them
    days = [_FIRST_DAY + timedelta(days=31 * month + day) for day in range(28)]
    rows = [f"P{person:02d},{day},{chance.randint(52, 96)}" for person in range(40) for day in days]
    return "person,day,beats\n" + "\n".join(rows) + "\n"


def _pdf(line: str) -> bytes:
    """A page with one line on it. Source: ISO 32000-1, 7.5 (file structure)."""
    shown = line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    drawing = f"BT /F1 14 Tf 60 760 Td ({shown}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawing), drawing),
    ]
    made, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    return (
        made
        + head
        + table
        + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(made))
    )
