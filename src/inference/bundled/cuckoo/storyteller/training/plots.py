"""Plots of the story grammar.

Each plot is a list of slots, each slot a list of alternatives; `[a|b]` chooses inside a sentence.
Fields: {n} hero's name, {h} hero, {tr} trait with its space, {s}/{t}/{x} he/him/his, {c} colour,
{o} object, {pp} place with preposition, {pl} place, {f} friend's name, {g} friend,
{fs}/{ft}/{fx} friend's he/him/his. `a_` becomes "a" or "an". No alternative names an object,
colour, hero or place of the word lists other than through a field.
"""

OPENINGS = [
    "Once upon a time, there was a_ {tr}{h} [called|named] {n}.",
    "Once upon a time, a_ {tr}{h} [called|named] {n} lived {pp}.",
    "Once there was a_ {tr}{h} [called|named] {n} who lived {pp}.",
    "One day, {n} the {tr}{h} went to {pl}.",
    "One [sunny|warm|cold|bright|windy|quiet] [morning|day|afternoon], {n} the {tr}{h} was {pp}.",
    "There once was a_ {tr}{h} whose name was {n}.",
    "{n} was a_ {tr}{h} who lived {pp}.",
    "{n} was a_ {tr}{h}.",
    "Long ago, a_ {tr}{h} [called|named] {n} lived {pp}.",
    "{n} the {tr}{h} woke up early and looked outside.",
]

ENDINGS = [
    "{n} [smiled all the way home|went home with a big smile|slept very well that night].",
    "From that day on, {n} and {f} were [best friends|good friends|the best of friends].",
    "{n} the {h} was [very happy|so happy|proud and happy] [that day|that night|after all].",
    "That night, {n} put the {c} {o} [next to|beside] {x} bed and fell asleep.",
    "And {n} never forgot [that day|the day with the {c} {o}].",
    "\"What a [wonderful|lovely|good] day,\" said {n} the {h}.",
]

GIFT_ENDINGS = [
    "From that day on, {n} and {f} were [best friends|good friends|the best of friends].",
    "{n} the {h} was [very happy|so happy|proud and happy] [that day|that night|after all].",
    "And {n} never forgot [that day|the day with the {c} {o}].",
]


def ending(lesson: str, without_friend: bool = False) -> list[str]:
    """The general endings and one with the lesson of a plot."""
    general = [e for e in ENDINGS if not (without_friend and "{f}" in e)]
    return [*general, "And so {n} learned that [" + lesson + "]."]


PLOTS = {
    "find": [
        ["{n} was walking {pp} when {s} [saw|found|noticed] a_ {c} {o} [on the ground|under a tree|in the grass].",
         "While {s} was playing {pp}, {n} found a_ {c} {o}."],
        ["\"Whose {o} is this?\" [asked|wondered] {n}.", "\"What a [pretty|nice|fine] {o}!\" said {n}. \"But it is not mine.\"",
         "{s} wanted to keep it, but {s} knew that someone was missing it."],
        ["{n} [asked|went to] a_ {g} called {f}.", "Soon {s} met {f} the {g}, who [was crying|looked very sad].",
         "Then a_ {g} called {f} came by, looking for something."],
        ["\"That is my {c} {o}!\" [cried|said|shouted] {f}. \"Thank you for finding it!\"",
         "{f} had lost the {c} {o} [that morning|the day before], and {n} gave it back.",
         "{n} gave {ft} the {c} {o}, and {f} [jumped for joy|laughed with joy|gave {t} a big hug]."],
        ["They played together until the sun went down.", "\"You are so kind, {n},\" said {f}.", ""],
        GIFT_ENDINGS],
    "lose": [
        ["{n} [loved|was very proud of] {x} {c} {o} and took it everywhere.",
         "The thing {n} loved most was {x} {c} {o}.", "{n} had a_ {c} {o} that {s} loved very much."],
        ["One day, while {s} was {pp}, the {c} {o} was gone.",
         "But {pp}, {s} looked down and could not see the {c} {o} anywhere.",
         "Then a strong wind came {pp} and blew the {c} {o} away."],
        ["{n} looked [under every bush|behind every tree|high and low], but {s} could not find it.",
         "{s} [cried and cried|was very sad|sat down and cried].", "\"Oh no! Where is my {o}?\" cried {n}."],
        ["{f} the {g} [heard {t}|saw {t}] and came to help.", "A_ {g} called {f} said, \"Do not worry, I will help you look.\""],
        ["Together they found the {c} {o} [behind a big rock|in the tall grass|under a bench|up in a tree].",
         "At last {f} [pointed up|pointed down] and there was the {c} {o}!"],
        ending("friends are the best treasure|it is good to ask for help")],
    "share": [
        ["{n} was playing with {x} {c} {o} {pp}.", "{n} took {x} new {c} {o} to {pl}.",
         "{pp}, everyone wanted to see the {c} {o} that {n} had brought."],
        ["A_ {g} called {f} [sat all alone|stood nearby and watched|came to look at it].",
         "There {s} met {f} the {g}, who had nothing to play with."],
        ["\"May I [try|hold|have a turn with] your {c} {o}?\" asked {f}.",
         "\"I wish I had a_ {c} {o} too,\" said {f}."],
        ["At first {n} [did not want to share|said no|held it tight].", "{n} thought about it for a moment.", ""],
        ["Then {n} [smiled|nodded] and said, \"Let us play with the {o} together.\"",
         "Then {n} gave the {c} {o} to {f} and said, \"It is your turn now.\""],
        ["They [laughed and played|had so much fun] until the evening.", "{f} was so happy that {fs} danced.", ""],
        ending("it is good to share|playing together is more fun")],
    "storm": [
        ["{n} was {pp} with {x} {c} {o} when dark clouds [came|filled the sky].",
         "{n} had just taken {x} {c} {o} to {pl} when it began to rain."],
        ["The wind blew and the rain [fell harder and harder|would not stop].",
         "\"I must find a dry place!\" said {n}.", "{n} was afraid that the {c} {o} would get wet."],
        ["{s} hid [under a big tree|under some branches] and held the {c} {o} tight.",
         "{s} ran as fast as {s} could and held on to the {c} {o}."],
        ["Soon {f} the {g} [opened a door|called out] and said, \"Come in, {n}, it is warm here!\"",
         "Then {s} saw a_ {g} called {f}, who was wet and cold too."],
        ["They waited together and [told stories|sang songs] until the sun came back.",
         "They sat close together, and the rain did not seem so bad."],
        ["When the rain was over, the {c} {o} was [safe and dry|as good as new].",
         "Then {n} showed {f} the {c} {o}, and they [went outside|looked up at the sky]."],
        ending("every storm comes to an end|it is good to have a friend")],
    "mend": [
        ["One day, {pp}, {n} dropped {x} {c} {o} and it broke.",
         "{n} was {pp} when {x} {c} {o} fell and broke in two."],
        ["\"My poor {o}!\" [cried|said] {n}.", "{s} was so sad that {s} could not speak.", "A tear ran down {x} face."],
        ["{f} the {g} said, \"[I can help you|We can fix it|Let me look at it].\"",
         "A_ {g} called {f} came with [some glue|some string|a bit of tape]."],
        ["They worked [all day|all afternoon|slowly and carefully] and put the pieces together.",
         "{f} held the pieces and {n} [tied|glued] them together."],
        ["Soon the {c} {o} was [as good as new|even better than before].",
         "In the evening, the {c} {o} was whole again."],
        ["\"Thank you, {f},\" said {n}.", ""],
        ending("many things can be mended|two can do more than one")],
    "make": [
        ["{n} wanted a_ {c} {o} more than anything.", "{n} dreamed of having a_ {c} {o}."],
        ["But {s} had no money, so {s} [decided|made a plan] to make one.",
         "\"I will make one all by myself,\" {s} said."],
        ["{s} went to {pl} and [picked up|gathered|looked for] [wood and string|paper and paint|all that {s} needed].",
         "{pp}, {s} found [paper and paint|wood and glue|everything {s} needed]."],
        ["It took [three days|a whole week|all day long], but {n} did not give up.",
         "The first one fell apart, but {n} tried again.", "{f} the {g} came to help {t}."],
        ["At last {s} had made a [beautiful|fine|wonderful] {c} {o}.",
         "In the end, there it was: a_ {c} {o}!"],
        ["Everyone came to look at the {c} {o}, and {n} [was very proud|beamed with joy].",
         "{n} showed the {c} {o} to everyone {pp}."],
        ending("one should never give up|good work takes time", without_friend=True)],
    "race": [
        ["There was a big race {pp}, and the prize was a_ {c} {o}.",
         "{pp}, everyone was getting ready for the big race. The winner would get a_ {c} {o}."],
        ["{n} [wanted to win|ran very fast|was the first to start].", "\"I want to win that {c} {o},\" said {n}."],
        ["But on the way, {n} saw that {f} the {g} [had fallen down|had hurt {fx} foot|was stuck in the mud].",
         "But then a_ {g} called {f} fell down and could not get up."],
        ["{n} stopped and helped {ft} up.", "{n} stopped at once and held out a hand."],
        ["They crossed the line together, and they both won the {c} {o}.",
         "They came last, but everyone clapped, and {n} got the {c} {o} for being so kind."],
        ending("being kind is better than winning|friends are worth more than a prize")],
    "birthday": [
        ["It was the birthday of {f} the {g}, and {n} had a surprise.",
         "{n} knew that {f} the {g} had a birthday soon."],
        ["{s} went to {pl} and [found|bought|chose] a_ {c} {o}.",
         "{pp}, {s} saw a_ {c} {o} and thought it was perfect."],
        ["{n} wrapped the {c} {o} in paper and [hid it|tied it with string].",
         "{s} hid the {c} {o} behind {x} back and knocked on the door."],
        ["\"Happy birthday!\" [shouted|sang] {n}.", "\"This is for you,\" said {n} with a smile."],
        ["{f} opened it and [could not believe {fx} eyes|laughed with joy]. \"A_ {c} {o}! Thank you, {n}!\"",
         "\"I always wanted a_ {c} {o}!\" said {f} and hugged {t}."],
        GIFT_ENDINGS],
    "learn": [
        ["{n} got a_ {c} {o}, but {s} did not know what to do with it.",
         "Someone gave {n} a_ {c} {o}, but {s} did not know how to use it."],
        ["{s} tried [again and again|all morning] {pp}, but [it was too hard|nothing worked].",
         "{s} took the {c} {o} to {pl} and tried, but it did not work."],
        ["\"I will never learn it,\" said {n}.", "{n} wanted to give up.", "{n} felt [sad|angry|tired]."],
        ["{f} the {g} said, \"[Take your time|Try once more|Let me show you].\"",
         "Then a_ {g} called {f} showed {t} how to do it."],
        ["So {n} took the {c} {o} and tried [once more|one more time], and [it worked|this time it worked].",
         "After many tries, {n} could use the {c} {o} [very well|better than anyone]."],
        ending("one should never give up|it takes time to learn")],
    "night": [
        ["{n} was afraid of the dark, so {s} always held {x} {c} {o} at night.",
         "It was a dark night, and {n} was {pp} with only a_ {c} {o}."],
        ["Then {s} heard a strange noise {pp}.", "Suddenly something made a loud noise {pp}."],
        ["\"Who is there?\" [asked|whispered] {n} and held the {c} {o} tight.",
         "{n} [shook with fear|wanted to run away], but {s} held the {c} {o} and waited."],
        ["It was only {f} the {g}, who could not sleep.", "Out came a_ {g} called {f}. \"I am lost,\" said {f}."],
        ["They both laughed, and {n} was not afraid any more.",
         "{n} took {ft} by the hand and showed {ft} the way home."],
        ending("the dark is not so bad|there was nothing to be afraid of")],
    "rescue": [
        ["{n} was on the way to {pl} with {x} {c} {o}.", "{n} was playing {pp} with a_ {c} {o}."],
        ["Suddenly {s} heard a cry. \"Help!\" called {f} the {g}, who was stuck [in a hole|in the mud|behind a rock] {pp}.",
         "There {s} saw that a_ {g} called {f} had fallen into a deep hole {pp}."],
        ["\"Do not be afraid,\" said {n}. \"I have an idea.\"", "{n} thought [hard|fast]. What could {s} do?"],
        ["{s} [held out|used] the {c} {o} and pulled {f} out.",
         "With the help of the {c} {o}, {n} got {f} out."],
        ["\"You and your {c} {o} saved me!\" said {f}.", "\"Thank you, {n}!\" said {f}. \"That was very brave.\""],
        ending("it is good to help others|a good idea can save the day")],
    "dream": [
        ["One night, {n} had a dream about a_ {c} {o}.", "{n} fell asleep and dreamed of a_ {c} {o}."],
        ["In the dream, the {c} {o} could [talk|sing|fly], and it took {t} to {pl}.",
         "In the dream, {s} was {pp}, and the {c} {o} [shone like the sun|began to dance|began to sing]."],
        ["\"Come with me, {n},\" it said.", "{n} laughed and danced all night.", "Everything was [bright|soft|quiet] there."],
        ["When {s} woke up, there was a_ {c} {o} [on {x} bed|next to {t}|on the floor].",
         "In the morning, {n} looked around, and there was the {c} {o}!"],
        ["\"Was it really a dream?\" [asked|wondered] {n} the {h}.", "{n} [rubbed {x} eyes|could not believe it]."],
        ending("dreams can come true", without_friend=True)],
    "gift": [
        ["One day, a letter came for {n}. It said, \"Go to {pl}, there is something for you.\"",
         "{n} heard that there was a treasure {pp}."],
        ["{s} [walked|ran] [over the hills|through the rain|all day] to get there.",
         "{n} was [very excited|quite afraid], but {s} went at once."],
        ["{pp}, {s} dug a deep hole, and there was a_ {c} {o}.", "There, under a tree, was a_ {c} {o}."],
        ["\"It is for you, {n},\" said {f} the {g}, who [jumped out|was hiding there].",
         "\"I hid the {c} {o} for you,\" said a_ {g} called {f}."],
        ["{n} hugged {ft} and thanked {ft} for the {c} {o}.",
         "{n} held the {c} {o} and [sang a song|jumped up and down]."],
        ending("it is good to be curious|friends are the best treasure")],
}

# How a prompt may ask for a plot: a relative clause about the hero and the object {co}.
THEMES = {
    "find": ["who finds {co}"], "lose": ["who loses {co}", "who cannot find {co}"],
    "share": ["who shares {co}"], "storm": ["who has {co} in the rain"],
    "mend": ["who breaks {co}"], "make": ["who makes {co}", "who wants {co}"],
    "race": ["who wants to win {co}"], "birthday": ["who gives {co} to a friend"],
    "learn": ["who learns to use {co}"], "night": ["who is afraid of the dark and holds {co}"],
    "rescue": ["who saves a friend with {co}"], "dream": ["who dreams of {co}"],
    "gift": ["who gets {co}"],
}

# The objects that suit a plot.
PLOT_OBJECTS = {
    "find": "key coin button shell feather ring leaf pebble marble book envelope necklace bell",
    "lose": "hat cap sock glove mitten shoe kite balloon scarf map doll",
    "share": "apple pear muffin cake lollipop ball sled blanket wagon spoon top",
    "storm": "umbrella coat jacket boat tent hat bucket book drum",
    "mend": "cup bowl jar plate mirror chair wheel bottle teapot kettle doll clock",
    "make": "mask crown basket rocket kite puppet flag boat necklace cushion brush",
    "race": "cup star flag ribbon bike car sled crown",
    "birthday": "cake parcel bracelet puppet rose balloon doll candle book teapot egg",
    "learn": "bike flute guitar violin piano harp trumpet tambourine telescope puzzle whistle drum hammer pencil",
    "night": "lamp lantern candle pillow blanket sword bell star",
    "rescue": "rope ladder stick ribbon scarf flag umbrella suitcase",
    "dream": "rocket train egg pillow star piano clock crown stone",
    "gift": "envelope parcel key map ring suitcase egg stone sword",
}
