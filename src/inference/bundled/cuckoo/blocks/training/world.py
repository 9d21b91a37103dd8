"""The world the model draws: scenes, their captions and their pictures, and what is held out."""

import json
import random
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

SIZE = 64
BACKGROUNDS = {"white": (250, 250, 250), "black": (10, 10, 10)}
COLOURS = {
    "red": (225, 40, 45), "orange": (250, 130, 15), "yellow": (250, 220, 40), "green": (45, 175, 80),
    "cyan": (40, 195, 215), "blue": (45, 90, 225), "purple": (140, 60, 200), "pink": (245, 110, 185),
}
DETAILS = {"brown": (155, 112, 80), "beige": (225, 200, 160)}
PLURALS = {
    "circle": "circles", "square": "squares", "triangle": "triangles", "star": "stars", "diamond": "diamonds",
    "heart": "hearts", "cross": "crosses", "ring": "rings", "moon": "moons", "house": "houses", "tree": "trees",
    "fish": "fish", "mushroom": "mushrooms", "boat": "boats",
}
KINDS = list(PLURALS)
PAIRS = [(colour, kind) for colour in COLOURS for kind in KINDS]

# Colour-kind pairs that no training picture shows: 11 of 112, every kind at most once.
UNSEEN = {
    ("red", "star"), ("orange", "circle"), ("orange", "boat"), ("yellow", "fish"), ("green", "heart"),
    ("cyan", "triangle"), ("cyan", "house"), ("blue", "mushroom"), ("purple", "square"), ("pink", "diamond"),
    ("pink", "tree"),
}

PLACES = {
    "left": (-1, 0), "right": (1, 0), "top": (0, -1), "bottom": (0, 1), "centre": (0, 0),
    "top left": (-1, -1), "top right": (1, -1), "bottom left": (-1, 1), "bottom right": (1, 1),
}
RELATIONS = {"left of": (-1, 0), "right of": (1, 0), "above": (0, -1), "below": (0, 1), "and": None}


@dataclass
class Scene:
    """What a caption names: one object (perhaps with a place), several alike, or two with a relation."""

    objects: list  # of {"colour", "kind"}; alike ones repeat
    place: str | None = None
    relation: str | None = None  # of the first to the second
    background: str = "white"

    def key(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    def pairs(self) -> set:
        return {(thing["colour"], thing["kind"]) for thing in self.objects}


def draw_scene(rng: random.Random, form: str | None = None, pairs: list = PAIRS) -> Scene:
    """A scene of the form "one", "two" or "alike", drawn with the given pairs."""
    form = form or rng.choices(["one", "two", "alike"], [24, 64, 12])[0]
    background = "black" if rng.random() < 0.2 else "white"

    def thing() -> dict:
        colour, kind = rng.choice(pairs)
        return {"colour": colour, "kind": kind}

    if form == "one":
        place = None if rng.random() < 0.2 else rng.choice(list(PLACES))
        return Scene([thing()], place=place, background=background)
    if form == "alike":
        return Scene([thing()] * rng.choice([2, 3]), background=background)
    first = second = thing()
    while second == first:
        second = thing()
    return Scene([first, second], relation=rng.choice(list(RELATIONS)), background=background)


def is_held_out(scene: Scene) -> bool:
    """True for a tenth of all scenes, which no training picture shows; their pairs are seen in others."""
    return zlib.crc32(scene.key().encode()) % 10 == 0


def draw_training_scene(rng: random.Random) -> Scene:
    seen = [pair for pair in PAIRS if pair not in UNSEEN]
    while is_held_out(scene := draw_scene(rng, pairs=seen)):
        pass
    return scene


# --- captions ---------------------------------------------------------------------------------------

PLACE_WORDS = {
    "left": ["on the left", "on the left side", "at the left", "to the left"],
    "right": ["on the right", "on the right side", "at the right", "to the right"],
    "top": ["at the top", "on the top", "on top"],
    "bottom": ["at the bottom", "on the bottom"],
    "centre": ["in the middle", "in the centre", "in the center"],
}
for _y, _other in (("top", "upper"), ("bottom", "lower")):
    for _x in ("left", "right"):
        PLACE_WORDS[f"{_y} {_x}"] = [f"in the {_y} {_x} corner", f"at the {_y} {_x}", f"in the {_y} {_x}",
                                     f"in the {_other} {_x} corner", f"on the {_y} {_x}"]
RELATION_WORDS = {
    "left of": ["left of", "to the left of", "on the left of"],
    "right of": ["right of", "to the right of", "on the right of"],
    "above": ["above", "over", "on top of"],
    "below": ["below", "under", "beneath"],
    "and": ["and", "and", "next to", "beside", "with"],
}
OPENINGS = ["", "", "", "", "a picture of", "draw", "there is"]


def with_article(thing: dict, article: str) -> str:
    if article == "a":
        article = "an" if thing["colour"][0] in "aeiou" else "a"
    return f"{article} {thing['colour']} {thing['kind']}".strip()


def caption_of(scene: Scene, rng: random.Random) -> str:
    """One of the wordings of a scene, at most 14 words."""
    article = rng.choice(["a", "a", "a", "a", "", "one"])
    first = with_article(scene.objects[0], article)
    opening = rng.choice(OPENINGS)
    if scene.relation:
        second = with_article(scene.objects[1], rng.choice([article, article, "the"]) if article else "")
        sides = {"left of": ("on the left", "on the right"), "above": ("at the top", "at the bottom")}
        if scene.relation in sides and scene.background == "white" and rng.random() < 0.15:
            here, there = sides[scene.relation]
            return f"{first} {here} and {second} {there}"
        text = f"{first} {rng.choice(RELATION_WORDS[scene.relation])} {second}"
    elif len(scene.objects) > 1:
        thing = scene.objects[0]
        text = f"{['two', 'three'][len(scene.objects) - 2]} {thing['colour']} {PLURALS[thing['kind']]}"
        opening = opening.replace("there is", "there are")
    else:
        text = first
        if scene.place:
            text += " " + rng.choice(PLACE_WORDS[scene.place])
    if scene.background == "black":
        text += rng.choice([" on a black background", " on black"])
    elif rng.random() < 0.1:
        text += rng.choice([" on a white background", " on white"])
    longer = f"{opening} {text}".strip()
    return longer if len(longer.split()) <= 14 else text


# --- pictures ---------------------------------------------------------------------------------------


def _star(u, v):
    angle = np.abs((np.arctan2(u, -v) + np.pi / 5) % (2 * np.pi / 5) - np.pi / 5)
    x, y = np.hypot(u, v) * np.cos(angle), np.hypot(u, v) * np.sin(angle)
    inner_x, inner_y = 0.48 * np.cos(np.pi / 5), 0.48 * np.sin(np.pi / 5)
    return (x - 1) * inner_y - y * (inner_x - 1) < 0


def _heart(u, v):
    x, y = 1.14 * u, 0.12 - 1.14 * v
    return (x * x + y * y - 1) ** 3 - x * x * y**3 < 0


# Each kind is a list of (colour or detail, inside), inside over u (right) and v (down) from -1 to 1.
PARTS = {
    "circle": [("main", lambda u, v: u * u + v * v < 0.98)],
    "square": [("main", lambda u, v: np.maximum(abs(u), abs(v)) < 0.88)],
    "triangle": [("main", lambda u, v: (v < 0.82) & (abs(u) < (v + 0.95) / 1.77))],
    "star": [("main", lambda u, v: _star(u / 1.05, (v - 0.05) / 1.05))],
    "diamond": [("main", lambda u, v: abs(u) / 0.8 + abs(v) < 1)],
    "heart": [("main", _heart)],
    "cross": [("main", lambda u, v: (np.minimum(abs(u), abs(v)) < 0.3) & (np.maximum(abs(u), abs(v)) < 0.92))],
    "ring": [("main", lambda u, v: abs(np.hypot(u, v) - 0.77) < 0.22)],
    "moon": [("main", lambda u, v: (np.hypot(u - 0.2, v) < 0.98) & (np.hypot(u - 0.78, v) > 0.85))],
    "house": [("main", lambda u, v: (abs(u) < 0.72) & (v > -0.2) & (v < 0.92)),
              ("brown", lambda u, v: (v < -0.1) & (abs(u) < (v + 1) / 0.9)),
              ("beige", lambda u, v: (abs(u) < 0.2) & (v > 0.35) & (v < 0.92))],
    "tree": [("brown", lambda u, v: (abs(u) < 0.19) & (v > 0.4) & (v < 1)),
             ("main", lambda u, v: (v < 0) & (abs(u) < (v + 1) * 0.62)),
             ("main", lambda u, v: (v < 0.52) & (abs(u) < (v + 0.6) * 0.8) & (v > -0.6))],
    "fish": [("main", lambda u, v: ((u + 0.22) / 0.76) ** 2 + (v / 0.55) ** 2 < 1),
             ("main", lambda u, v: (u > 0.3) & (u < 0.98) & (abs(v) < (u - 0.2) * 0.8)),
             ("beige", lambda u, v: np.hypot(u + 0.6, v + 0.12) < 0.15)],
    "mushroom": [("beige", lambda u, v: (abs(u) < 0.3) & (v > 0) & (v < 0.92)),
                 ("main", lambda u, v: (v < 0.12) & (u * u + (v - 0.12) ** 2 < 0.98)),
                 ("beige", lambda u, v: (np.hypot(u + 0.42, v + 0.28) < 0.17) | (np.hypot(u - 0.3, v + 0.42) < 0.17))],
    "boat": [("beige", lambda u, v: (v > -0.95) & (v < 0.4) & (u > -0.05) & (u < 0.05 + (v + 0.95) * 0.55)),
             ("brown", lambda u, v: (v > -0.95) & (v < 0.4) & (u <= 0.05) & (u > -0.13)),
             ("main", lambda u, v: (v > 0.32) & (v < 0.9) & (abs(u) < 1.2 - v * 0.65))],
}
_OVER = 3  # samples per pixel and axis


def paint(canvas: np.ndarray, kind: str, colour: tuple, x: float, y: float, radius: float) -> None:
    """Paints an antialiased object on a float canvas (size x size x 3, 0..255)."""
    size = canvas.shape[0]
    left, right = max(0, int(x - radius - 2)), min(size, int(x + radius + 3))
    top, bottom = max(0, int(y - radius - 2)), min(size, int(y + radius + 3))
    offset = 0.5 / _OVER
    u = ((np.arange((right - left) * _OVER) / _OVER + left + offset - x) / radius)[None, :]
    v = ((np.arange((bottom - top) * _OVER) / _OVER + top + offset - y) / radius)[:, None]
    fine = np.repeat(np.repeat(canvas[top:bottom, left:right], _OVER, 0), _OVER, 1)
    for role, inside in PARTS[kind]:
        fine[inside(u, v)] = colour if role == "main" else DETAILS[role]
    shape = (bottom - top, _OVER, right - left, _OVER, 3)
    canvas[top:bottom, left:right] = fine.reshape(shape).mean((1, 3))


def place_objects(scene: Scene, rng: random.Random) -> list:
    """(x, y, radius) of every object, in pixels."""
    middle = SIZE / 2

    def near(x: float, y: float, radius: float, spread: float = 2.0) -> tuple:
        return x + rng.uniform(-spread, spread), y + rng.uniform(-spread, spread), radius

    if len(scene.objects) == 1:
        dx, dy = PLACES[scene.place or "centre"]
        radius = rng.uniform(10, 11.5) if dx or dy else rng.uniform(15, 17)
        return [near(middle + 16.5 * dx, middle + 16.5 * dy, radius)]
    radius = rng.uniform(10, 11.5)
    if scene.relation:
        dx, dy = RELATIONS[scene.relation] or (-1, 0)
        return [near(middle + 16 * dx * s, middle + 16 * dy * s, radius) for s in (1, -1)]
    if len(scene.objects) == 2:
        return [near(middle - 16, middle, radius), near(middle + 16, middle, radius)]
    radius = rng.uniform(9.5, 10.5)
    return [near(middle, 18, radius, 1.5), near(middle - 16, 46, radius, 1.5), near(middle + 16, 46, radius, 1.5)]


def picture_of(scene: Scene, rng: random.Random) -> np.ndarray:
    """The picture of a scene, uint8 (64, 64, 3); positions, sizes and tints vary a little."""
    canvas = np.empty((SIZE, SIZE, 3), np.float32)
    canvas[:] = BACKGROUNDS[scene.background]
    for thing, (x, y, radius) in zip(scene.objects, place_objects(scene, rng)):
        tint = tuple(min(255, max(0, c + rng.uniform(-6, 6))) for c in COLOURS[thing["colour"]])
        paint(canvas, thing["kind"], tint, x, y, radius)
    return np.clip(canvas + 0.5, 0, 255).astype(np.uint8)


# --- files for the checker --------------------------------------------------------------------------


def silhouettes(grid: int = 24) -> dict:
    """Coverage of every kind in its bounding box, grid x grid digits 0 to 9, its width over height, and whether it
    has parts in another colour (None: too small a part to count on)."""
    found = {}
    for kind in KINDS:
        canvas = np.zeros((480, 480, 3), np.float32)
        paint(canvas, kind, (255, 255, 255), 240, 240, 200)
        mask = canvas.max(2) > 30
        rows, columns = np.where(mask.any(1))[0], np.where(mask.any(0))[0]
        box = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
        ys, xs = (np.arange(grid * 8) + 0.5) / (grid * 8) * box.shape[0], (np.arange(grid * 8) + 0.5) / (grid * 8) * box.shape[1]
        cells = box[ys.astype(int)][:, xs.astype(int)].reshape(grid, 8, grid, 8).mean((1, 3))
        found[kind] = {"aspect": round(box.shape[1] / box.shape[0], 3), "details": None if kind == "fish" else len(dict(PARTS[kind])) > 1,
                       "rows": ["".join(str(int(round(c * 9))) for c in row) for row in cells]}
    return found


def draw_prompts(rng: random.Random, forms: dict, accept, pairs: list = PAIRS) -> list:
    """Prompts of different scenes that `accept` takes, each with its scene."""
    found, seen = [], set()
    for form, count in forms.items():
        while count:
            scene = draw_scene(rng, form, pairs)
            if accept(scene) and scene.key() not in seen:
                seen.add(scene.key())
                found.append({"prompt": caption_of(scene, rng), "scene": asdict(scene)})
                count -= 1
    return found


def write_files(folder: Path) -> None:
    rng = random.Random(4)
    prompts = {
        "heldOut": draw_prompts(rng, {"one": 75, "two": 95, "alike": 30},
                                lambda s: is_held_out(s) and not s.pairs() & UNSEEN),
        "unseenPairs": draw_prompts(rng, {"one": 45, "two": 45, "alike": 10}, lambda s: bool(s.pairs() & UNSEEN)),
    }
    with (folder / "heldOutPrompts.json").open("w") as out:
        lists = [f'"{name}": [\n' + ",\n".join(json.dumps(p) for p in rows) + "\n]" for name, rows in prompts.items()]
        out.write("{\n" + ",\n".join(lists) + "\n}\n")
    world = {"backgrounds": BACKGROUNDS, "colours": COLOURS, "silhouettes": silhouettes()}
    (folder / "world.json").write_text(json.dumps(world, indent=1) + "\n")


if __name__ == "__main__":
    write_files(Path(__file__).parent)
