"""Emoji sequences that X counts as one character: the repertoire of its parser, Emoji 11 (2018).

Only sequences are listed. A single emoji outside them already weighs two, like any character beyond the light ranges,
and so does each half of a sequence that X does not know, such as a later flag or a newer profession.
"""

import re

ZWJ = "\u200d"
EMOJI_STYLE = "\ufe0f"
SKIN = "[\U0001f3fb-\U0001f3ff]"
MALE_OR_FEMALE = "[\u2640\u2642]"

# What a person holds or stands beside in a profession such as the astronaut.
TOOLS = "1F33E 1F373 1F393 1F3A4 1F3A8 1F3EB 1F3ED 1F4BB-1F4BC 1F527 1F52C 1F680 1F692 1F9B0-1F9B3"
WEARERS = "26F9 1F3CB-1F3CC 1F574-1F575"
ACTORS = """
1F3C3-1F3C4 1F3CA 1F46E 1F471 1F473 1F477 1F481-1F482 1F486-1F487 1F645-1F647 1F64B 1F64D-1F64E 1F6A3
1F6B4-1F6B6 1F926 1F935 1F937-1F939 1F93D-1F93E 1F9B8-1F9B9 1F9D6-1F9DD
"""
# Shown as plain text unless the style selector follows.
TEXT_FIRST = """
A9 AE 203C 2049 2122 2139 2194-2199 21A9-21AA 231A-231B 2328 23CF 23ED-23EF 23F1-23F2 23F8-23FA 24C2
25AA-25AB 25B6 25C0 25FB-25FE 2600-2604 260E 2611 2614-2615 2618 2620 2622-2623 2626 262A 262E-262F
2638-263A 2640 2642 2648-2653 265F-2660 2663 2665-2666 2668 267B 267F 2692-2697 2699 269B-269C 26A0-26A1
26AA-26AB 26B0-26B1 26BD-26BE 26C4-26C5 26C8 26CF 26D1 26D3-26D4 26E9-26EA 26F0-26F5 26F8 26FA 26FD 2702
2708-2709 270F 2712 2714 2716 271D 2721 2733-2734 2744 2747 2757 2763-2764 27A1 2934-2935 2B05-2B07
2B1B-2B1C 2B50 2B55 3030 303D 3297 3299 1F004 1F170-1F171 1F17E-1F17F 1F202 1F21A 1F22F 1F237 1F321
1F324-1F32C 1F336 1F37D 1F396-1F397 1F399-1F39B 1F39E-1F39F 1F3CD-1F3CE 1F3D4-1F3DF 1F3F3 1F3F5 1F3F7 1F43F
1F441 1F4FD 1F549-1F54A 1F56F-1F570 1F573 1F576-1F579 1F587 1F58A-1F58D 1F5A5 1F5A8 1F5B1-1F5B2 1F5BC
1F5C2-1F5C4 1F5D1-1F5D3 1F5DC-1F5DE 1F5E1 1F5E3 1F5E8 1F5EF 1F5F3 1F5FA 1F6CB 1F6CD-1F6CF 1F6E0-1F6E5 1F6E9
1F6F0 1F6F3
"""
TEXT_FIRST_PEOPLE = "261D 26F7 26F9 270C-270D 1F3CB-1F3CC 1F574-1F575 1F590"
PEOPLE = """
270A-270B 1F385 1F3C2-1F3C4 1F3C7 1F3CA 1F442-1F443 1F446-1F450 1F466-1F469 1F46E 1F470-1F478 1F47C
1F481-1F483 1F485-1F487 1F4AA 1F57A 1F595-1F596 1F645-1F647 1F64B-1F64F 1F6A3 1F6B4-1F6B6 1F6C0 1F6CC
1F918-1F91C 1F91E-1F91F 1F926 1F930-1F939 1F93D-1F93E 1F9B5-1F9B6 1F9B8-1F9B9 1F9D1-1F9DD
"""

# Second letters of the regional pairs that form a flag, by first letter.
FLAGS = {
    "A": "CDEFGILMOQRSTUWXZ",
    "B": "ABDEFGHIJLMNOQRSTVWYZ",
    "C": "ACDFGHIKLMNOPRUVWXYZ",
    "D": "EGJKMOZ",
    "E": "ACEGHRSTU",
    "F": "IJKMOR",
    "G": "ABDEFGHILMNPQRSTUWY",
    "H": "KMNRTU",
    "I": "CDELMNOQRST",
    "J": "EMOP",
    "K": "EGHIMNPRWYZ",
    "L": "ABCIKRSTUVY",
    "M": "ACDEFGHKLMNOPQRSTUVWXYZ",
    "N": "ACEFGILOPRUZ",
    "O": "M",
    "P": "AEFGHKLMNRSTWY",
    "Q": "A",
    "R": "EOSUW",
    "S": "ABCDEGHIJKLMNORSTVXYZ",
    "T": "ACDFGHJKLMNORTVWZ",
    "U": "AGMNSYZ",
    "V": "ACEGINU",
    "W": "FS",
    "X": "K",
    "Y": "ET",
    "Z": "AMW",
}
NATIONS = ("gbeng", "gbsct", "gbwls")


def characters(ranges: str) -> str:
    """A regex class from words such as `1F3C3-1F3C4`."""
    escapes = ("-".join(f"\\U{end:>08}" for end in word.split("-")) for word in ranges.split())
    return f"[{''.join(escapes)}]"


def flags() -> str:
    def region(letter: str) -> str:
        return chr(ord(letter) - ord("A") + 0x1F1E6)

    pairs = (f"{region(first)}[{''.join(map(region, seconds))}]" for first, seconds in FLAGS.items())
    # A nation of a country is the black flag, its letters as invisible tags, and the cancel tag.
    tags = ("".join(chr(0xE0000 + ord(letter)) for letter in nation) for nation in NATIONS)
    return f"{'|'.join(pairs)}|\U0001f3f4(?:{'|'.join(tags)})\U000e007f"


def families() -> str:
    man, woman, heart = "\U0001f468", "\U0001f469", f"\u2764{EMOJI_STYLE}"
    children = f"(?:\U0001f466(?:{ZWJ}\U0001f466)?|\U0001f467(?:{ZWJ}[\U0001f466\U0001f467])?)"
    parents = f"(?:{man}(?:{ZWJ}[{man}{woman}])?|{woman}(?:{ZWJ}{woman})?)"
    kiss = f"{ZWJ}{heart}{ZWJ}(?:\U0001f48b{ZWJ})?"
    return f"{man}{kiss}{man}|{woman}{kiss}[{man}{woman}]|{parents}{ZWJ}{children}"


def joined() -> str:
    """Sequences held together by joiners."""
    tool = f"(?:[\u2695\u2696\u2708]{EMOJI_STYLE}|{characters(TOOLS)})"
    gender = f"{ZWJ}{MALE_OR_FEMALE}{EMOJI_STYLE}"
    return "|".join(
        (
            f"[\U0001f468\U0001f469]{SKIN}?{ZWJ}{tool}",
            f"{characters(WEARERS)}(?:{SKIN}|{EMOJI_STYLE}){gender}",
            f"{characters(ACTORS)}{SKIN}?{gender}",
            families(),
            # Rainbow and pirate flag, the eye in a bubble, and groups that take no skin tone.
            f"\U0001f3f3{EMOJI_STYLE}{ZWJ}\U0001f308|\U0001f3f4{ZWJ}\u2620{EMOJI_STYLE}",
            f"\U0001f441{ZWJ}\U0001f5e8|[\U0001f46f\U0001f93c\U0001f9de\U0001f9df]{gender}",
        )
    )


def modified() -> str:
    """One emoji with a style selector, a skin tone or a keycap."""
    styled = f"{characters(TEXT_FIRST_PEOPLE)}(?:{EMOJI_STYLE}{SKIN}?|{SKIN})"
    return f"[#*0-9]{EMOJI_STYLE}?\u20e3|{characters(TEXT_FIRST)}{EMOJI_STYLE}|{styled}|{characters(PEOPLE)}{SKIN}"


# Joined sequences first: their beginnings are sequences too.
SEQUENCE = re.compile("|".join((joined(), modified(), flags())))
