"""English names, where the words around them say that they are names.

A list of all names would take half the dictionary with it ("May", "Will", "Rose"), so a name is masked only beside
what introduces it.
"""

import re
from collections.abc import Iterator

_WORD = r"(?:[A-ZÀ-Þ][a-zß-ÿ]+(?:['-][A-ZÀ-Þ]?[a-zß-ÿ]+|[A-Z][a-z]+)?|[A-Z]'[A-Z][a-z]+|[A-Z]\.?(?![A-Za-z0-9']))"
_NAME = rf"{_WORD}(?:[ ](?:(?:van|von|de|der|da|di|la|le|bin|al|el)[ ]){{0,2}}{_WORD}){{0,3}}"
_ANY_CASE = r"[A-Za-zÀ-ÿ][A-Za-zß-ÿ'-]{1,30}"

_NO_NAME = (
    # Function words and what people are or do.
    "a an the and or but so not no on in at of for from to with by my your his her their our its it is was are be been "
    "i im i'm you we they he she this that there here who what when why how if as also still already now then just "
    "please thanks thank hello hi hey dear very really too quite more most all any some sorry happy unhappy sad angry "
    "glad sure afraid unable able interested looking trying going getting having waiting calling writing speaking "
    "contacting asking wondering using spelled spelt misspelled wrong incorrect correct missing different listed "
    "registered printed shown under over new old back out off up down done late early home away ready good fine ok "
    "okay well bad upset furious disappointed frustrated confused worried tired sick pregnant disabled retired married "
    "single vegan vegetarian allergic customer member student teacher doctor nurse parent mother father manager "
    "support service team bot human person agent prime gold silver premium vip "
    # Where people come from.
    "american british english scottish welsh irish french german italian spanish portuguese dutch belgian swiss "
    "austrian polish czech greek turkish russian ukrainian chinese japanese korean indian pakistani thai vietnamese "
    "canadian australian mexican brazilian african asian european muslim christian jewish catholic hindu buddhist "
    # Days and months, and what is shouted.
    "monday tuesday wednesday thursday friday saturday sunday january february march april june july august september "
    "october november december christmas easter black lol omg asap guys folks everyone sir madam"
)
_NOT_NAMES = frozenset(_NO_NAME.split())
_AFTER_TITLE = frozenset(
    ["i", "martens", "pepper", "oetker", "coffee", "muscle", "bean", "potato", "universe", "clean"]
)
"""Brands, mostly."""

# Verb "miss" is no title, so that one is read with its capital.
_TITLED = re.compile(rf"\b(?:(?i:mr|mrs|ms|mx|dr|prof|professor)|Miss|MISS)\b\.?[ ]({_NAME})")
_MARRIED = re.compile(rf"\b(?i:mr|mrs)\b\.?[ ]({_ANY_CASE})")
_MY_NAME = re.compile(
    rf"\b(?i:my[ ](?:(?:full|first|last|given|family|sur)[ ]?)?name(?:'s|[ ]is)|name's)[ ]?:?[ ]?"
    rf"({_ANY_CASE}(?:[ ]{_ANY_CASE}){{0,3}})"
)
_NAMED = re.compile(
    r"(?i:\b(?:the|her|his|full|first|last|customer|recipient|account|cardholder)[ ]name(?:[ ]is|'s|[ ]?:)"
    rf"|(?:\A|[\n,;.(][ ]?)name[ ]?:|\b(?:recipient|addressee|contact|cardholder)[ ]?:)[ ]?({_NAME})"
)
_CALLED = re.compile(rf"\b(?i:call[ ]me|known[ ]as|i'm|i[ ]am|im)[ ]({_NAME})(?P<after>[^A-Za-z]{{0,2}}[A-Za-z]*)")
_SPEAKING = re.compile(
    rf"\b(?i:this[ ]is|it's|it[ ]is|hi,?|hello,?|hey,?)[ ]({_NAME}),?[ ](?i:speaking|calling|here|writing|from)\b"
)
_GREETED = re.compile(rf"\b(?i:dear|hi|hello|hey)[ ]({_NAME})(?=[,!\n])")
_SIGNED = re.compile(
    r"(?i:\b(?:regards|sincerely|cheers|thanks|thank[ ]you|wishes|yours))[,.!]?[ ]{0,3}\r?\n[ ]{0,3}"
    rf"({_NAME})[ ]{{0,3}}(?=\r?\n|\Z)"
)
_GOES_ON = re.compile(r"(?i)[,.!]? ?(?:from|here|and|speaking|calling)\Z|[,.!\n].*\Z|\Z")

# One search for any of them spares the rest on most texts.
_TRIGGER = re.compile(
    r"(?i:name|\bmr|\bms|\bmx|\bdr|\bprof|\bmiss|call me|known as|this is|it is|'[sm]\b|\bi am|\bim |dear|\bhi|\bhey"
    r"|hello|regards|sincerely|cheers|thank|wishes|yours|recipient|addressee|contact|cardholder)"
)


def find_english_names(plain: str) -> Iterator[tuple[int, int]]:
    """Start and end of every name that is introduced, titled, greeted or signed; they may overlap."""
    if not _TRIGGER.search(plain):
        return
    for pattern in (_TITLED, _NAMED, _SPEAKING, _GREETED, _SIGNED, _MARRIED):
        for match in pattern.finditer(plain):
            yield from _trimmed(match, is_titled=pattern is _TITLED)
    for match in _MY_NAME.finditer(plain):
        yield from _trimmed(match, limit=_num_words(match[1]))
    for match in _CALLED.finditer(plain):
        # "I'm Sorry" and "I am Hungry" are written too, so one word alone counts only where a clause ends after it.
        if " " in match[1] or _GOES_ON.match(match["after"]):
            yield from _trimmed(match)


def _trimmed(match: re.Match[str], *, is_titled: bool = False, limit: int = 4) -> Iterator[tuple[int, int]]:
    """The name up to the first word that cannot belong to one; nothing if that is the first."""
    stops = _AFTER_TITLE if is_titled else _NOT_NAMES
    end = start = match.start(1)
    for word in match[1].split(" ")[:limit]:
        if word.lower().rstrip(".'") in stops or (word.islower() and _is_verb(word)):
            break
        end += len(word) + (end > start)
    if end > start:
        yield start, end


def _num_words(words: str) -> int:
    """How many words of "my name is ..." may belong to the name: written small, two; with capitals, those in front."""
    split = words.split(" ")
    capitals = next((index for index, word in enumerate(split) if not word[0].isupper()), len(split))
    return capitals or min(2, len(split))


def _is_verb(word: str) -> bool:
    return len(word) > 5 and word.endswith(("ing", "ted", "red", "ped", "led"))
