"""Masks in a comment the names of a programme's people, addresses, numbers and links.

Masking is not perfect: a misspelt name, a nickname that stands in no file, or "the new one from Lyon" stays. That is
why a person reads a comment before it is shown. Where in doubt it masks too much: somebody called Mark takes the
word "mark" along.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

NAME, MAIL, NUMBER, LINK = "[name]", "[e-mail]", "[number]", "[link]"
# Invisible signs that could stand inside a name.
UNSEEN = "\u00ad\u200b-\u200d\u2060\ufeff"
WORD = rf"[^\W_](?:[^\W_]|[\u0300-\u036f{UNSEEN}])*"
MASK_OR_WORD = re.compile(rf"\[(?:name|e-mail|number|link)\]|{WORD}")
AT = r"\s?(?:@|\(at\)|\[at\]|\{at\})\s?"
DOT = r"\s?(?:\.|\(dot\)|\[dot\]|\(punkt\)|\[punkt\])\s?"
FOUND = (
    (LINK, re.compile(r"(?:https?://|www\.)\S{1,500}", re.IGNORECASE)),
    (MAIL, re.compile(rf"[\w.+%-]{{1,64}}{AT}[\w-]{{1,63}}(?:{DOT}[\w-]{{2,63}}){{1,5}}", re.IGNORECASE)),
    (LINK, re.compile(r"\b[\w-]{1,63}(?:\.[\w-]{2,63}){1,5}/\S{0,500}")),
    (LINK, re.compile(r"\b[\w-]{1,63}(?:\.[\w-]{2,63}){0,4}\.(?:com|org|net|info|io|eu|de|uk|fr|at|ch)\b")),
    (NAME, re.compile(r"(?<!\w)@[\w.-]{2,64}")),
    (NUMBER, re.compile(r"\+?\(?\d(?:[\s()/.\-\u2010-\u2015]{0,3}\d){6,20}")),
)
SEVERAL = re.compile(r"\[name\](?:[\s\-.\u2010-\u2015]{1,3}\[name\])+")
INITIAL = re.compile(r"(?<!\w)[^\W\d_]\.\s?(?=\[name\])")
# How languages bend a name beyond the bare s: only after four letters, and only where the word is written large.
LATIN = ("es", "n", "en", "ns", "ens", "chen", "lein", "a", "u", "e", "y", "i", "ie", "em", "om", "ovi", "owi")
CYRILLIC = ("а", "у", "е", "и", "ы", "ю", "ою", "ой", "ом", "ем", "ові")
ENDINGS = LATIN + CYRILLIC
VOWELS = ("a", "e", "o", "а", "я", "й", "о")  # Anna, Anny, Annie: the last one is what changes
NO_NAMES = frozenset(
    [
        "al",
        "bin",
        "da",
        "de",
        "del",
        "della",
        "den",
        "der",
        "di",
        "dos",
        "du",
        "el",
        "la",
        "las",
        "le",
        "los",
        "of",
        "ten",
        "ter",
        "the",
        "van",
        "vom",
        "von",
        "zu",
        "zum",
        "zur",
        "dr",
        "prof",
        "mr",
        "mrs",
        "ms",
        "herr",
        "frau",
        "jr",
        "sr",
        "ii",
        "iii",
        "iv",
        "phd",
        "msc",
        "mba",
    ]
)
NO_PERSONS = frozenset(
    ["admin", "contact", "hello", "hr", "info", "kontakt", "mail", "mentee", "mentor", "office", "support", "team"]
)
GERMAN = str.maketrans(
    {
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
        "ø": "oe",
        "å": "aa",
        "æ": "ae",
        "œ": "oe",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
    }
)
PLAIN = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
UNSPACED = re.compile(r"[\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af]")


@dataclass(frozen=True)
class Names:
    """What is masked: `words` folded, `short` of two letters as they are written, `unspaced` inside any word."""

    words: frozenset[str] = frozenset()
    short: frozenset[str] = frozenset()
    unspaced: tuple[str, ...] = ()

    @property
    def stems(self) -> frozenset[str]:
        return frozenset(word[:-1] for word in self.words if len(word) >= 4 and word.endswith(VOWELS))


def names_of(people: Iterable[tuple[str, str | None]]) -> Names:
    """The names in (name, e-mail address) of these people: given, family and whatever else stands there."""
    words: set[str] = set()
    short: set[str] = set()
    unspaced: set[str] = set()
    for name, address in people:
        parts = re.findall(WORD, unicodedata.normalize("NFC", name))
        joined = re.findall(rf"{WORD}(?:[-'’]{WORD})+", unicodedata.normalize("NFC", name))
        parts += [re.sub(r"[-'’]", "", each) for each in joined]
        for part in parts:
            if UNSPACED.search(part):
                unspaced |= {part} if len(part) > 1 else set()
            elif len(part) == 2 and part.casefold() not in NO_NAMES:
                short.add(part[:1].upper() + part[1:].lower())
            elif len(part) > 2:
                words |= _folds(part) - NO_NAMES
        words |= _of_address(address)
        if all(map(UNSPACED.search, parts)) and len("".join(parts)) > 1:
            unspaced.add("".join(parts))
    return Names(frozenset(words), frozenset(short), tuple(sorted(unspaced, key=lambda each: (-len(each), each))))


def _of_address(address: str | None) -> set[str]:
    """ "anna.berg7@…" names two people's worth: anna, and berg7."""
    local = (address or "").partition("@")[0]
    parts = [fold for part in re.split(r"[\W_]+", local) for fold in _folds(part)]
    return {part for part in parts if len(part) > 2 and not part.isdigit()} - NO_PERSONS - NO_NAMES


def mask(text: str, names: Names) -> str:
    """The comment with everything found masked. Masking again changes nothing."""
    masked = unicodedata.normalize("NFC", text)
    for put, pattern in FOUND:
        masked = pattern.sub(put, masked)
    for name in names.unspaced:
        masked = masked.replace(name, NAME)
    stems = names.stems
    masked = MASK_OR_WORD.sub(lambda found: NAME if _is_name(found[0], names, stems) else found[0], masked)
    return INITIAL.sub("", SEVERAL.sub(NAME, masked))


def _is_name(word: str, names: Names, stems: frozenset[str]) -> bool:
    if word.startswith("["):
        return False
    if word in names.short:
        return True
    return any(_bends(fold, names.words, stems, is_large=word[:1].isupper()) for fold in _folds(word))


def _bends(fold: str, words: frozenset[str], stems: frozenset[str], *, is_large: bool) -> bool:
    """Whether a folded word is a name, or one with an ending."""
    if fold in words or (fold.endswith("s") and len(fold) > 3 and fold[:-1] in words):
        return True
    if not is_large:
        return False
    bare = [fold[: -len(ending)] for ending in ENDINGS if fold.endswith(ending)]
    return any((len(each) >= 4 and each in words) or (len(each) >= 3 and each in stems) for each in bare)


def _folds(word: str) -> set[str]:
    """A word without case and accents, in both ways to write an umlaut: Müller, Mueller and muller meet."""
    small = re.sub(rf"[{UNSEEN}]", "", unicodedata.normalize("NFKC", word)).casefold()
    return {_bare(small.translate(GERMAN)), _bare(small.translate(PLAIN))}


def _bare(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
