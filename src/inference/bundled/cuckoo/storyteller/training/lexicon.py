"""Word lists of the story grammar: heroes, names, objects, colours, places and topics."""

import random

ANIMALS = """fox cat dog bear rabbit mouse owl frog duck horse lion tiger elephant turtle penguin
squirrel hedgehog badger otter beaver goat sheep pig cow donkey monkey koala panda wolf deer
bee ant snail crab whale dolphin crow swan hen parrot lizard camel zebra seal mole bat spider
kangaroo hamster moose raccoon""".split()
BEINGS = """dragon robot wizard giant fairy knight pirate farmer baker sailor gardener painter
princess king queen witch unicorn snowman ghost elf monster alien doctor teacher dancer""".split()
PEOPLE = {"girl": "she", "boy": "he"}
HEROES = ANIMALS + BEINGS + list(PEOPLE)
FIXED_PRONOUNS = {**PEOPLE, "princess": "she", "queen": "she", "witch": "she", "king": "he"}
FRIENDS = [kind for kind in ANIMALS + BEINGS if kind not in FIXED_PRONOUNS]

GIRL_NAMES = """Mia Lily Emma Anna Ella Zoe Ruby Nora Ida Clara Rosa Lucy Alice Maya Eva Nina Sara
Tara Daisy Hazel Ivy Luna Molly Poppy Stella Willa Greta Hanna Julia Kira Lola Mila Olive Pia
Rita Sofia Tilda Vera Wendy Yara Amy Bella Cora Dora Edith Flora Grace Heidi Iris Jane""".split()
BOY_NAMES = """Tom Ben Max Leo Sam Tim Finn Otto Hugo Paul Oscar Felix Jack Noah Emil Anton Theo
Carl Ned Rex Bruno Milo Toby Oliver Henry Jasper Karl Lars Nils Pip Ralf Sven Ted Victor Will
Yuri Zack Adam Basil Casper Dan Elias Fred George Harry Ivan Jonas Kurt Louis Mark""".split()

COLOURS = """red blue green yellow orange purple pink white black brown grey golden silver
turquoise violet scarlet crimson""".split()

OBJECTS = """kite ball hat boat drum lantern book cup key umbrella scarf bike basket bell button
candle coat crown feather flag flute guitar hammer jar ladder lamp map mirror necklace pebble
pencil pillow ribbon ring rope shell shoe sled spoon stone sword teapot tent top train trumpet
wagon whistle blanket balloon bottle bowl bracelet brush bucket cake cap car chair clock coin
cushion doll envelope glove harp jacket kettle leaf mask marble mitten muffin parcel pear apple
piano plate puppet puzzle rocket rose sock star stick suitcase tambourine telescope violin
wheel lollipop egg""".split()

PLACES = [tuple(entry.split(" ", 1)) for entry in """in the forest|in the garden|in the park|
by the river|by the sea|on the beach|on the hill|on the farm|in the meadow|in the village|
in the town|at the market|in the castle|in the cave|by the lake|on the island|in the desert|
in the jungle|in the mountains|at the school|in the library|in the kitchen|on the moon|
in the valley|at the harbour|in the barn|by the pond|in the old tower|in the city|at the zoo|
in the orchard|in the snow|at the station|on the bridge|in the field|in the museum|
by the waterfall|in the swamp|at the playground|in the attic""".replace("\n", "").split("|")]

TRAITS = """brave little shy kind clever sleepy curious funny old young happy quiet lonely lazy
gentle busy proud cheerful tiny big hungry grumpy friendly careful silly wise""".split()

TOPICS = """gravity computers maths music football cooking volcanoes history space chess poetry
trains money science physics planets medicine robots dinosaurs painting dancing swimming
geography electricity magnets chemistry weather bicycles bread cheese chocolate pancakes
politics love dreams time numbers letters rivers clouds rainbows languages engines bridges
code software tigers France Paris London America Africa Rome hello tomorrow happiness coffee
soup birthdays winter summer ships windows tea China Germany salt taxes quantum""".split()

_ONSETS = "b br c cl d dr f fl g gr h j k l m n p pl qu r s sh sl st t tr v w y z".split()
_VOWELS = "a e i o u ee oo ai".split()
_CODAS = ["", "", "", "b", "ck", "d", "g", "l", "m", "n", "p", "r", "rn", "sh", "t", "x", "zz"]


def made_up_word(rng: random.Random) -> str:
    """A pronounceable word that is in no list, so that copying is learned and not only recall."""
    word = rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_CODAS)
    if rng.random() < 0.7:
        word += rng.choice(_ONSETS[:8] + ["l", "m", "n", "t"]) + rng.choice("a e i o y".split())
    if rng.random() < 0.3:
        word += rng.choice(["n", "l", "r", "s"])
    return word
