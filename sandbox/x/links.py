"""Finding links the way X does, written apart from the product as a second opinion. ASCII-first and short:
the country codes and the domains people use, not the whole root zone."""

import re
from dataclasses import dataclass


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_GENERIC = _words(
    "com net org info biz edu gov mil int name pro mobi jobs travel asia cat coop museum aero tel post xyz app dev "
    "page blog shop store online site tech cloud live club top vip link click wiki work world today email agency "
    "media digital studio design space fun games news social network guru art academy bank bar beer berlin bio "
    "cafe care center city co coffee company cool deals direct events expert express family fashion film fit "
    "fund fyi gallery gift global gold green group help host house how inc ink land law life london love ltd "
    "market marketing menu moda moe money ninja one ooo paris party photo photography photos pics plus press "
    "promo pub red rent report review reviews rocks run sale school science show sky solutions style support "
    "team technology tips tokyo tools tours town toys trade training tube university video watch website wiki "
    "win works yoga zone google amazon apple onion 中国 中國 公司 网络 網絡 香港 台湾 台灣 рф 한국 みんな コム"
)
_COUNTRY = _words(
    "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca cc "
    "cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga "
    "gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo "
    "jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr "
    "ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re "
    "ro rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr "
    "tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw"
)

_TLD = "|".join(sorted(_GENERIC | _COUNTRY, key=len, reverse=True))
_LABEL = r"[a-z0-9\u00a1-\u2009\u2070-\u2fff\u3040-\ufefe](?:[\w\u00a1-\u2009-]*[a-z0-9\u00a1-\u2009\u3040-\ufefe])?"
_ASCII_LABEL = r"[a-z0-9\u00c0-\u024f](?:[a-z0-9\u00c0-\u024f_-]*[a-z0-9\u00c0-\u024f])?"
_PATH_CHAR = r"[a-z0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&\u00c0-\u024f\u0400-\u04ff]"
_PATH_END = r"[a-z0-9=_#/+\-\u00c0-\u024f\u0400-\u04ff]"
_TAIL = (
    r"(?P<port>:\d+)?"
    rf"(?P<path>/(?:(?:{_PATH_CHAR}|\({_PATH_CHAR}*\))*(?:{_PATH_END}|\({_PATH_CHAR}*\)))?)?"
    r"(?P<query>\?[a-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*[a-z0-9\-_&=#/])?"
)
_END_OF_HOST = r"(?![a-z0-9@+-]|\.[a-z0-9])"
_WITH_SCHEME = re.compile(
    rf"(?<![a-z0-9@＠$#＃])https?://(?:{_LABEL}\.)+(?:{_TLD}){_END_OF_HOST}{_TAIL}", re.IGNORECASE
)
_BARE = re.compile(
    rf"(?<![a-z0-9@＠$#＃\-_./])(?P<host>(?:{_ASCII_LABEL}\.)+(?P<tld>{_TLD})){_END_OF_HOST}{_TAIL}",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Link:
    start: int
    end: int
    text: str

    @property
    def url(self) -> str:
        return self.text if "://" in self.text else f"http://{self.text}"


def find_links(text: str) -> list[Link]:
    if "." not in text:
        return []
    found = [Link(m.start(), m.end(), m.group()) for m in _WITH_SCHEME.finditer(text)]
    for match in _BARE.finditer(text):
        is_inside = any(link.start <= match.start() < link.end for link in found)
        if not is_inside and _counts_without_scheme(match):
            found.append(Link(match.start(), match.end(), match.group()))
    return sorted(found, key=lambda link: link.start)


def _counts_without_scheme(match: re.Match[str]) -> bool:
    """One label and a country code ("look.at") is prose, unless a path follows."""
    is_short = match["host"].count(".") == 1 and match["tld"].lower() in _COUNTRY
    return not is_short or match["path"] is not None or match["tld"].lower() in ("co", "tv")
