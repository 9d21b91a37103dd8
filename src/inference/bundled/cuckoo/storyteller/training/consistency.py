"""Held-out prompts and the rule by which a story keeps, or loses, what its prompt named."""

import random
import re
from dataclasses import dataclass

import lexicon as lex
from dialogues import make_request
from stories import Scenario, draw_scenario, tell

FIELDS = {"hero", "name", "thing", "place"}
_NAMES = set(lex.GIRL_NAMES + lex.BOY_NAMES)
_WHERE = [" ".join(p) for p in lex.PLACES]


@dataclass
class Probe:
    """A held-out prompt and what it names."""

    prompt: str
    hero: str
    name: str
    colour: str
    thing: str
    place: str


def draw_probe(rng: random.Random) -> tuple[Probe, Scenario]:
    """A request that names hero, name, colour, object and place, all of a held-out scenario."""
    scenario = draw_scenario(rng, held_out=True, novelty=0, habit=0)
    text = make_request(scenario, rng, FIELDS)
    probe = Probe(text, scenario.hero.kind, scenario.hero.name, scenario.colour, scenario.thing,
                  scenario.place[1])
    return probe, scenario


def named_in(words: list[str], among) -> set[str]:
    return set(words) & set(among)


def faults(probe: Probe, story: str) -> list[str]:
    """What the story gets wrong; an empty list means that it is consistent.

    Hero, name, colour and object must be named, name and object also in the second half; the
    colour must always stand before the object; no other colour, object or place may occur;
    beside the hero and its name at most one friend (one kind, one name) may occur, and the
    hero's name may never go with another kind. The place must be named.
    """
    words = re.findall(r"[A-Za-z]+", story)
    lower = [w.lower() for w in words]
    second_half = story[len(story) // 2 :]
    thing = f"{probe.colour} {probe.thing}"
    found = []
    if probe.hero not in lower:
        found.append("hero missing")
    if words.count(probe.name) < 2 or probe.name not in second_half:
        found.append("name lost")
    if story.lower().count(thing) < 2 or probe.thing not in second_half:
        found.append("object lost")
    if named_in(lower, lex.COLOURS) - {probe.colour}:
        found.append("wrong colour")
    if named_in(lower, lex.OBJECTS) - {probe.thing}:
        found.append("wrong object")
    if len(named_in(lower, lex.HEROES) - {probe.hero}) > 1:
        found.append("wrong hero")
    if len(named_in(words, _NAMES) - {probe.name}) > 1:
        found.append("wrong name")
    kinds = re.findall(rf"\b{probe.name} the ((?:\w+ )?\w+)", story)
    kinds += re.findall(rf"\b{probe.name} was an? ((?:\w+ )?\w+)", story)
    kinds += re.findall(rf"an? ((?:\w+ )?\w+) (?:called|named) {probe.name}\b", story)
    if any(not named_in(k.split(), [probe.hero]) for k in kinds):
        found.append("name with another kind")
    places = {w for w in _WHERE if re.search(rf"\b{w.split(' ', 1)[1]}\b", story)}
    if not any(w.endswith(" " + probe.place) for w in places):
        found.append("place missing")
    if any(not w.endswith(" " + probe.place) for w in places):
        found.append("wrong place")
    return found


def draw_probes(count: int, seed: int = 20240) -> list[Probe]:
    rng = random.Random(seed)
    return [draw_probe(rng)[0] for _ in range(count)]


if __name__ == "__main__":  # the generator's own stories must pass
    draws = random.Random(5)
    failed = 0
    for _ in range(2000):
        drawn, source = draw_probe(draws)
        if wrong := faults(drawn, told := tell(source, draws)):
            failed += 1
            print(wrong, drawn.prompt, told, sep="\n", end="\n\n")
    print(f"{failed} of 2000 generated stories fail the rule")
