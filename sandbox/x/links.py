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
    "win works yoga zone google amazon apple onion 中国 中國 公司 网络 網絡 香港 台湾 台灣 рф 한국 みんな コム پاکستان"
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

MAX_URL = 4096
MAX_LABEL = 63
MAX_SHORT_CODE = 40
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
    rf"(?<![a-z0-9@＠$#＃])https?://(?P<host>(?:{_LABEL}\.)+(?:{_TLD})){_END_OF_HOST}{_TAIL}", re.IGNORECASE
)
_BARE = re.compile(
    rf"(?<![a-z0-9@＠$#＃\-_./])(?P<host>(?:{_ASCII_LABEL}\.)+(?:{_TLD})){_END_OF_HOST}{_TAIL}",
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
    found = [link for match in _WITH_SCHEME.finditer(text) if (link := _link(match))]
    for match in _BARE.finditer(text):
        is_inside = any(link.start <= match.start() < link.end for link in found)
        if not is_inside and (link := _link(match)):
            found.append(link)
    return sorted(found, key=lambda link: link.start)


def _link(match: re.Match[str]) -> Link | None:
    if len(match.group()) > MAX_URL or not _is_host(match["host"]):
        return None
    if match["host"].lower() == "t.co" and match["path"]:
        return _short_link(match)
    return Link(match.start(), match.end(), match.group())


def _short_link(match: re.Match[str]) -> Link | None:
    """t.co codes are letters and digits; what follows one is text again."""
    code = re.match(r"/[a-zA-Z0-9]+", match["path"])
    if code is None or len(code.group()) > MAX_SHORT_CODE + 1:
        return None
    end = match.start("path") + code.end()
    return Link(match.start(), end, match.string[match.start() : end])


def _is_host(host: str) -> bool:
    labels = host.split(".")
    # Underscores are for subdomains; the name that was registered has none.
    return "_" not in labels[-2] and all(0 < _ascii_length(label) <= MAX_LABEL for label in labels)


def _ascii_length(label: str) -> int:
    """Octets in the DNS; 0 for what only pretends to be encoded already."""
    if label.isascii():
        return len(label)
    return 0 if label.lower().startswith("xn--") else len(label.encode("punycode")) + 4
