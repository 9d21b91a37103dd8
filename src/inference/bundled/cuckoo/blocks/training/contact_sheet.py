"""Sets the pictures that `node checkModel.ts --sheet FILE.rgb` drew side by side: `python3 contact_sheet.py FILE.rgb` (needs Pillow)."""

import json
import sys
import textwrap
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from world import SIZE

COLUMNS, CELL, LINES = 6, 2 * SIZE, 42


def write_sheet(pictures: np.ndarray, prompts: list[str], path: Path) -> None:
    rows = -(-len(prompts) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * (CELL + 8) + 8, rows * (CELL + LINES + 8) + 8), (214, 218, 224))
    pen = ImageDraw.Draw(sheet)
    for i, (picture, prompt) in enumerate(zip(pictures, prompts)):
        x, y = 8 + i % COLUMNS * (CELL + 8), 8 + i // COLUMNS * (CELL + LINES + 8)
        sheet.paste(Image.fromarray(picture).resize((CELL, CELL), Image.BICUBIC), (x, y))
        pen.multiline_text((x, y + CELL + 3), "\n".join(textwrap.wrap(prompt, 21)), fill=(30, 30, 30), spacing=1)
    sheet.quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    here = Path(__file__).parent
    drawn = np.fromfile(sys.argv[1], np.uint8).reshape(-1, SIZE, SIZE, 3)
    write_sheet(drawn, json.loads((here / "sheetPrompts.json").read_text()), here.parent / "samples.png")
