"""Draws scenarios and tells them: the story text that the model learns from."""

import random
import re
import zlib
from dataclasses import dataclass

import lexicon as lex
from plots import OPENINGS, PLOT_OBJECTS, PLOTS

HELD_OUT_SHARE = 10  # one pair in ten is held out
OBJECT_FORMS = {"he": ("he", "him", "his"), "she": ("she", "her", "her")}


@dataclass
class Character:
    """A hero or a friend: what it is, its name, its pronoun and a trait (may be empty)."""

    kind: str
    name: str
    pronoun: str
    trait: str = ""


@dataclass
class Scenario:
    """All that one story is about."""

    hero: Character
    friend: Character
    colour: str
    thing: str
    place: tuple[str, str]
    plot: str

    @property
    def where(self) -> str:
        return " ".join(self.place)


def held_out_pair(first: str, second: str) -> bool:
    """True for the fixed tenth of pairs that training never sees together."""
    return zlib.crc32(f"{first}/{second}".encode()) % HELD_OUT_SHARE == 0


def is_held_out(scenario: Scenario) -> bool:
    """True if the hero-object pair or the colour-object pair is held out."""
    return held_out_pair(scenario.hero.kind, scenario.thing) or held_out_pair(
        scenario.colour, scenario.thing
    )


class Draw:
    """Random choices: `novelty` is the chance of made-up words, `habit` of the usual choice.

    Habits tie what a prompt leaves open to what it names (an umbrella to a storm, a fox to one
    friend), so that a model that always takes the likeliest word does not tell one story only.
    """

    def __init__(self, rng: random.Random, novelty: float, habit: float):
        self.rng, self.novelty, self.habit = rng, novelty, habit

    def usual(self, key: str, options: list):
        """The option that belongs to the key, or any."""
        if self.rng.random() < self.habit:
            return options[zlib.crc32(key.encode()) % len(options)]
        return self.rng.choice(options)

    def kind(self, friend_of: str) -> str:
        """A hero, or a friend of a hero."""
        if self.rng.random() < self.novelty / 3:
            return lex.made_up_word(self.rng)
        if friend_of:
            return self.usual(friend_of, lex.FRIENDS)
        return self.rng.choice(list(lex.PEOPLE) if self.rng.random() < 0.05 else lex.HEROES)

    def character(self, other: Character | None = None) -> Character:
        """A hero, or a friend unlike the hero `other`."""
        while True:
            kind = self.kind(other.kind if other else "")
            pronoun = lex.FIXED_PRONOUNS.get(kind) or self.usual(kind, ["he", "she"])
            if self.rng.random() < self.novelty:
                name = lex.made_up_word(self.rng).capitalize()
            else:
                name = self.usual(kind, lex.GIRL_NAMES if pronoun == "she" else lex.BOY_NAMES)
            if other is None or (kind != other.kind and name != other.name):
                trait = self.rng.choice(lex.TRAITS) if self.rng.random() < 0.6 else ""
                return Character(kind, name, pronoun, trait)

    def thing(self, hero: str) -> str:
        if self.rng.random() < self.novelty / 3:
            return lex.made_up_word(self.rng)
        return self.usual(hero, lex.OBJECTS)

    def plot(self, thing: str) -> str:
        """Often one of the plots that suit the object."""
        suitable = [p for p, things in PLOT_OBJECTS.items() if thing in things.split()]
        use = suitable and self.rng.random() < 1.5 * self.habit
        return self.rng.choice(suitable if use else list(PLOTS))


def draw_scenario(rng: random.Random, held_out: bool = False, novelty: float = 0.2,
                  habit: float = 0.35) -> Scenario:
    """A training scenario, or one whose hero-object and colour-object pairs are both held out."""
    draw = Draw(rng, novelty, habit)
    while True:
        hero = draw.character()
        thing = draw.thing(hero.kind)
        scenario = Scenario(hero=hero, friend=draw.character(hero), colour=rng.choice(lex.COLOURS),
                            thing=thing, place=draw.usual(thing, lex.PLACES), plot=draw.plot(thing))
        if held_out:
            if held_out_pair(hero.kind, thing) and held_out_pair(scenario.colour, thing):
                return scenario
        elif not is_held_out(scenario):
            return scenario


_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_ARTICLE = re.compile(r"\b([Aa])_ (\w+)")
_SENTENCE_START = re.compile(r"(^|[.!?] \"?|[.!?]\" (?=\"|[A-Z{]))([a-z])")


def takes_an(word: str) -> bool:
    return word[0].lower() in "aeiou" and not word.lower().startswith("uni")


def fix_articles(text: str) -> str:
    """Turns `a_` into "a" or "an"."""
    return _ARTICLE.sub(
        lambda m: m[1] + ("n " if takes_an(m[2]) else " ") + m[2], text
    )


def expand(template: str, rng: random.Random, fields: dict[str, str]) -> str:
    """Resolves choices, fields and articles of one slot, with a capital at each sentence start."""
    text = _CHOICE.sub(lambda m: rng.choice(m[1].split("|")), template).format_map(fields)
    return _SENTENCE_START.sub(lambda m: m[1] + m[2].upper(), fix_articles(text))


def story_fields(scenario: Scenario) -> dict[str, str]:
    """The template fields of a scenario."""
    hero, friend = scenario.hero, scenario.friend
    s, t, x = OBJECT_FORMS[hero.pronoun]
    fs, ft, fx = OBJECT_FORMS[friend.pronoun]
    return {
        "n": hero.name, "h": hero.kind, "tr": hero.trait + " " if hero.trait else "",
        "s": s, "t": t, "x": x, "c": scenario.colour, "o": scenario.thing,
        "pp": scenario.where, "pl": scenario.place[1],
        "f": friend.name, "g": friend.kind, "fs": fs, "ft": ft, "fx": fx,
    }


def fits(opening: str, body: str) -> bool:
    """False for an opening that contradicts or repeats the body's time or place."""
    goes_there = "{pl}" in body and ("{pp}" in opening or "{pl}" in opening)
    said_twice = opening.startswith("One ") and "One " in body
    wakes_twice = "woke" in opening and ("night" in body or "dream" in body)
    return not (goes_there or said_twice or wakes_twice)


def tell(scenario: Scenario, rng: random.Random) -> str:
    """The story of a scenario."""
    fields = story_fields(scenario)
    body = [rng.choice(slot) for slot in PLOTS[scenario.plot]]
    opening = rng.choice([o for o in OPENINGS if fits(o, " ".join(body))])
    chosen = [opening, *body]
    met = False
    for index, template in enumerate(chosen):
        introduced = "{f} the {g}" in template or "{g} called {f}" in template
        if not met and "{f}" in template and not introduced:
            chosen[index] = template.replace("{f}", "{f} the {g}", 1)
        met = met or "{f}" in template
    return " ".join(expand(t, rng, fields) for t in chosen if t)
