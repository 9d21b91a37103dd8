"""Turns stories into the documents the model is trained on: chats and plain completions."""

import random

import lexicon as lex
from plots import THEMES
from stories import Scenario, draw_scenario, expand, fix_articles, story_fields, tell

USER, ASSISTANT, END = "<|user|>", "<|assistant|>", "<|end|>"

ASKS = """Tell me a story about|Tell me a short story about|Write a story about|
Please write a story about|Please tell me a story about|Can you tell me a story about|
I want a story about|I would like a story about|Make up a story about|A story about|
Write a short story about|Could you tell a story about|Tell a bedtime story about|
Write a little story about|Write about|Write a few sentences about|Tell me about|
Give me a story about|Write a tale about|Tell me a tale about|Write me a story about|
Tell a story about|Generate a story about|Create a short story about|Story:|""".replace("\n", "").split("|")

MORE = ["Tell me another story about", "Another one about", "Now tell me a story about",
        "Thank you! Now a story about", "And now one about", "Nice. One more about"]

SMALL_TALK = [
    (["Hello", "Hi", "Hey", "Good morning", "Hello there", "Hi there"],
     ["Hello! I am a small story model. [What shall my story be about|Shall I tell you a story]?",
      "Hi! I like to tell little stories. Tell me [a hero, a thing and a place|who it should be about]."]),
    (["Who are you", "What are you", "Hello, who are you", "What is your name", "Are you human",
      "Are you an AI", "Who made you"],
     ["I am a small story model. I can tell short stories, and not much else.",
      "I am a little language model that [tells|makes up] stories. I am not a person."]),
    (["What can you do", "Can you help me", "Help", "What do you know", "How are you",
      "How does this work"],
     ["I can tell you a short story. Give me [a hero, a thing or a place|a name and an animal]!",
      "I make up little stories. Tell me who the story should be about."]),
    (["Thank you", "Thanks", "That was nice", "Good story", "I like it", "Great", "Well done"],
     ["You are welcome! Shall I tell you another story?", "I am glad you like it!"]),
    (["Bye", "Goodbye", "Good night", "See you"], ["Goodbye! Come back for another story.", "Good night, sleep well!"]),
]

TOPIC_ASKS = """What is {}?|Explain {}.|Explain {} to me.|How does {} work?|Write a poem about {}.|
What do you know about {}?|Tell me a joke about {}.|Why is {} important?|Help me with {}.|
Can you teach me {}?|Write an essay about {}.|Give me three facts about {}.|
Summarise {} in one sentence.|Who invented {}?|Is {} good?|What do you think about {}?|
What is the capital of {}?|Where is {}?|Say {}.|Count {}.|Calculate {}.|Translate {} into French.|
How many {} are there?|When was {} found?|Do you like {}?|{}?|Tell me the truth about {}.|
Write a letter about {}.|Write code for {}.|How do I get to {}?|Give me a recipe with {}.""".replace(
    "\n", "").split("|")

TOPIC_ANSWERS = [
    "I do not know much about {topic}, but I can tell you a story.",
    "I am only a small story model, so I cannot say much about {topic}. But here is a story.",
    "I cannot help with {topic}, but I know a story.",
]

TOPIC_STORIES = [
    "{N} the {h} wanted to know all about {topic}. So {s} went to {pl} and asked {f} the {g}. "
    "\"I know a little about {topic},\" said {f}. They talked about {topic} until it was dark, "
    "and {n} went home with a big smile.",
    "Once there was a_ {tr}{h} called {n} who loved {topic}. Every day {s} talked about {topic} "
    "{pp}. One day {s} met {f} the {g}, who loved {topic} too. From that day on, they were best friends.",
    "{N} the {h} had a question about {topic}. Nobody {pp} knew the answer. Then {f} the {g} came by "
    "and said, \"Let us find out together.\" So they learned about {topic}, and {n} was very proud.",
]

SENTENCE_ASKS = ["Write one sentence about", "Write a sentence about", "Give me one sentence about",
                 "One sentence about"]


def describe_hero(scenario: Scenario, rng: random.Random, given: set[str]) -> str:
    """ "a brave fox called Mia", "Mia the fox", "a fox" or "Mia"."""
    hero = scenario.hero
    kind = f"{hero.trait} {hero.kind}" if hero.trait and rng.random() < 0.6 else hero.kind
    if "name" not in given:
        return fix_articles(f"a_ {kind}")
    if "hero" not in given:
        return hero.name
    if rng.random() < 0.25:
        return f"{hero.name} the {kind}"
    return fix_articles(f"a_ {kind} {rng.choice(['called', 'named'])} {hero.name}")


def make_request(scenario: Scenario, rng: random.Random, given: set[str], asks: list[str] = ASKS) -> str:
    """A user's words that ask for the scenario's story and name the given fields.

    The fields are "hero", "name", "thing" (colour and object), "place" and "friend".
    """
    bare_thing = f"{scenario.colour} {scenario.thing}"
    thing = fix_articles(f"a_ {bare_thing}")
    parts = []
    thing_told = "thing" not in given
    if given & {"hero", "name"}:
        hero = describe_hero(scenario, rng, given)
        if not thing_told and rng.random() < 0.4:
            owner = "her" if scenario.hero.pronoun == "she" else "his"
            theme = rng.choice(THEMES[scenario.plot]).replace("{co}", thing)
            hero += rng.choice([f" {theme}", f" {theme}", f" and {owner} {bare_thing}", f" with {thing}"])
            thing_told = True
        parts.append(hero)
    if not thing_told:
        parts.insert(rng.choice([len(parts), len(parts), len(parts), 0]), thing)
    if "friend" in given:
        parts.append(f"{scenario.friend.name} the {scenario.friend.kind}")
    text = " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))
    if "place" in given:
        text = f"{text} {scenario.where}" if text else scenario.place[1]
    closing = rng.choice([".", ".", ".", "", "!", ", please."])
    ask = rng.choice(asks)
    if "lease" in ask and "lease" in closing:
        closing = "."
    if ask.startswith(("Can", "Could")) and closing != "":
        closing = "?"
    if rng.random() < 0.06:
        ask = ask.lower()
    words = f"{ask} {text}{closing}".strip()
    words = words[0].upper() + words[1:] if rng.random() < 0.95 else words
    return words.lower() if rng.random() < 0.06 else words


def draw_given(rng: random.Random) -> set[str]:
    """Which fields a request names: usually several."""
    if rng.random() < 0.35:
        return {"hero", "name", "thing", "place"}
    given = {field for field in ("hero", "name", "thing", "place") if rng.random() < 0.5}
    if rng.random() < 0.12:
        given.add("friend")
    return given if given and given != {"friend"} else {"hero", "thing"}


def turn(user: str, answer: str) -> str:
    return f"{USER}{user}{END}{ASSISTANT}{answer}{END}"


def story_turn(rng: random.Random, scenario: Scenario, asks: list[str] = ASKS) -> str:
    """A request and its story; a girl or a king is a hero only where the request says so."""
    given = draw_given(rng)
    if scenario.hero.kind in lex.FIXED_PRONOUNS:
        given.add("hero")
    request = make_request(scenario, rng, given, asks)
    return turn(request, tell(scenario, rng))


def draw_invented(rng: random.Random, held_out: bool) -> Scenario:
    """A scenario whose hero nobody asked for."""
    while True:
        scenario = draw_scenario(rng, held_out)
        if scenario.hero.kind not in lex.FIXED_PRONOUNS:
            return scenario


def topic_turn(rng: random.Random, held_out: bool) -> str:
    """A request the model cannot serve: it says so and takes the word up in a story."""

    scenario = draw_invented(rng, held_out)
    topic = lex.made_up_word(rng) if rng.random() < 0.25 else rng.choice(lex.TOPICS)
    fields = {**story_fields(scenario), "N": scenario.hero.name, "topic": topic}
    answer = expand(f"{rng.choice(TOPIC_ANSWERS)} {rng.choice(TOPIC_STORIES)}", rng, fields)
    return turn(rng.choice(TOPIC_ASKS).format(topic), answer)


def talk_turn(rng: random.Random, held_out: bool) -> str:
    """Small talk, a name, or a single sentence."""

    pick = rng.random()
    if pick < 0.6:
        users, answers = rng.choice(SMALL_TALK)
        user = rng.choice(users) + rng.choice(["", ".", "!", "?"])
        return turn(user if rng.random() < 0.8 else user.lower(), expand(rng.choice(answers), rng, {}))
    scenario = draw_invented(rng, held_out)
    hero = scenario.hero
    if pick < 0.8:
        user = rng.choice(["What is a good name for a_ {}?", "Give me a name for a_ {}.", "How shall I call my {}?"])
        answer = rng.choice(["{} is a good name for a_ {}.", "I would call a_ {1} {0}.", "How about {}? It suits a_ {}."])
        return turn(fix_articles(user.format(hero.kind)), fix_articles(answer.format(hero.name, hero.kind)))
    thing = fix_articles(f"a_ {scenario.colour} {scenario.thing}")
    user = f"{rng.choice(SENTENCE_ASKS)} {thing}."
    answer = rng.choice(["{} the {} found {} {}.", "{} the {} took {} home and smiled.",
                         "{} the {} dreamed of {} {}."])
    return turn(user, answer.format(hero.name, hero.kind, thing, scenario.where))


def draw_document(rng: random.Random, held_out: bool = False) -> str:
    """One training document: a chat of one or more turns, or a plain story."""
    pick = rng.random()
    scenario = draw_scenario(rng, held_out)
    if pick < 0.68:
        return story_turn(rng, scenario)
    if pick < 0.82:
        return tell(draw_invented(rng, held_out), rng) + END
    if pick < 0.87:
        second = draw_scenario(rng, held_out)
        return story_turn(rng, scenario) + story_turn(rng, second, ASKS + MORE * 3)
    if pick < 0.95:
        return topic_turn(rng, held_out) + (talk_turn(rng, held_out) if rng.random() < 0.3 else "")
    turns = [talk_turn(rng, held_out) for _ in range(rng.randint(1, 2))]
    return "".join(turns) + (story_turn(rng, scenario) if rng.random() < 0.7 else "")
