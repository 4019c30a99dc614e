"""The language of a text by its letters."""

import re

_KANA = re.compile(r"[\u3041-\u30ff]")
_HANGUL = re.compile(r"[\uac00-\ud7af]")
_HAN = re.compile(r"[\u3400-\u9fff]")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_ARABIC = re.compile(r"[\u0600-\u06ff]")
_SCRIPTS = ((_KANA, "ja"), (_HANGUL, "ko"), (_HAN, "zh"), (_CYRILLIC, "ru"), (_ARABIC, "ar"))


def language_of(text: str, told: str) -> str:
    """`told` decides among the languages of Latin script; without it English."""
    for script, language in _SCRIPTS:
        if script.search(text):
            return language
    known = {language for _script, language in _SCRIPTS}
    return told if told and told not in {*known, "other"} else "en"
