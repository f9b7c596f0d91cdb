"""The pictures of the guide: written when asked for, compared with what the pages look like now in every other run."""

import io
import json
import os
from pathlib import Path
from statistics import fmean

from PIL import Image, ImageChops, PngImagePlugin
from playwright.sync_api import Page

FOLDER = Path(__file__).parents[3] / "docs" / "guide" / "pictures"
IS_WRITING = bool(os.environ.get("SCREENSHOTS"))
WIDTH, LOWEST = 1280, 1400
MOST_BYTES = 150_000
COLOURS = 128
# How far a page may have moved away from its picture: height as a share, and grey of 255 in a view without details.
HEIGHT, GREY = 0.25, 10.0
_VIEW = (64, 64)


def picture(page: Page, name: str) -> list[str]:
    """What is wrong with the picture of this page: nothing, where it was just written."""
    file, headings = FOLDER / f"{name}.png", page.locator("main :is(h1, h2, h3)").all_inner_texts()
    now = _taken(page)
    if IS_WRITING:
        _write(file, now, headings)
    if not file.exists():
        return [f"{file.name} is missing: run the tests with SCREENSHOTS=1"]
    return [f"{file.name}: {each}" for each in _differences(file, now, headings)]


def _taken(page: Page) -> Image.Image:
    page.evaluate("() => { document.activeElement.blur(); window.scrollTo(0, 0) }")
    content = page.screenshot(full_page=True, animations="disabled", caret="hide")
    taken = Image.open(io.BytesIO(content)).convert("RGB")
    return taken.crop((0, 0, taken.width, min(taken.height, LOWEST)))


def _write(file: Path, taken: Image.Image, headings: list[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    about = PngImagePlugin.PngInfo()
    about.add_text("headings", json.dumps(headings))
    few = taken.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(file, optimize=True, pnginfo=about)


def _differences(file: Path, now: Image.Image, headings: list[str]) -> list[str]:
    kept = Image.open(file)
    found = []
    if file.stat().st_size > MOST_BYTES:
        found.append(f"has {file.stat().st_size} bytes")
    if (kept.width, now.width) != (WIDTH, WIDTH):
        found.append(f"is {kept.width} wide, the page {now.width}")
    if len(now.quantize(COLOURS).getcolors() or []) < 8:
        found.append("the page is blank")
    if json.loads(kept.info["headings"]) != headings:
        found.append(f"shows {kept.info['headings']}, the page {headings}")
    if abs(kept.height - now.height) > HEIGHT * kept.height:
        found.append(f"is {kept.height} high, the page {now.height}")
    elif (grey := _apart(kept, now)) > GREY:
        found.append(f"looks another way than the page ({grey:.1f})")
    return found


def _apart(kept: Image.Image, now: Image.Image) -> float:
    """Mean difference of grey, 0 to 255, of the part that both show, seen from far away."""
    height = min(kept.height, now.height)
    views = [each.convert("L").crop((0, 0, WIDTH, height)).resize(_VIEW) for each in (kept, now)]
    return fmean(ImageChops.difference(*views).tobytes())
