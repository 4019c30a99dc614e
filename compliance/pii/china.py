"""Mainland China, Hong Kong and Taiwan."""

from compliance.pii import checksums
from compliance.pii.recogniser import CERTAIN, CHECKED, LEFT, SHAPE, Recogniser

_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
# GA 36: five signs, or six for new energy, where a letter of A to H, J or K stands first or last.
_SIGN = "[0-9A-HJ-NP-Z]"
_PLATE = rf"[{_PROVINCES}][A-HJ-NP-Z][·. ]?(?:{_SIGN}{{5}}|{_SIGN}{{4}}[学警港澳]|[A-HJK]{_SIGN}\d{{4}}|\d{{5}}[A-HJK])"
_AREA = r"0(?:10|2\d|[3-9]\d\d)"
_PHONE_WORDS = ("手机", "电话", "手机号", "联系", "微信", "致电", "热线", "座机", "tel", "mobile", "phone", "加我")
# What people write in front of the name of a chat account, also to get past a filter.
_WECHAT = r"(?:[加+➕]V(?:X|信)?|加?微信号?|微信ID|[威薇溦]信号?|[V威薇]信号?|VX|V信|WX|WECHAT ?(?:ID)?|WEIXIN)"
_QQ = r"(?:(?:QQ|扣扣|企鹅)(?:群|号|号码|群号)?)"
_IS = r"[ ]?[:是为=]?[ ]?"


def _has_digit(value: str) -> bool:
    return any(sign.isdigit() for sign in value)


def _is_six_two(value: str) -> bool:
    return 16 <= len(value) <= 19 and len(set(value)) > 2 and checksums.luhn(value)


CHINA = (
    Recogniser(
        "CN_ID_CARD",
        r"\d{17}[\dX]|\d{6} \d{8} \d{3}[\dX]",
        score=CERTAIN,
        check=checksums.cn_id_card,
        digits=17,
        words=("身份证", "证件", "id card"),
    ),
    Recogniser(
        "CN_MOBILE",
        r"(?:(?:\+|00)86[- ]?|\(\+?86\) ?|VX|WX|V|TEL|QQ)?(?P<value>1[3-9]\d([- ]?)\d{4}\2\d{4})",
        # Above an international number's, which would hold the +86 as well.
        score=0.95,
        digits=11,
        # No counts, no numbers of orders.
        left=LEFT + "(?<!单号)(?<!单号:)(?<!编号)(?<!编号:)(?<!播放量)(?<!阅读量)",
        right=r"(?:(?![0-9A-Z])|(?=VX|WX|V信|QQ))(?![-.][0-9])(?! ?[次件元票])",
        words=_PHONE_WORDS,
    ),
    Recogniser(
        "CN_LANDLINE",
        rf"(?:(?:\+|00)86[- ]?)?(?P<value>(?:\({_AREA}\) ?|{_AREA}[- ])[2-8]\d{{6,7}})(?:[-转 ]{{1,3}}\d{{1,6}})?",
        score=0.95,
        digits=10,
        words=_PHONE_WORDS,
    ),
    Recogniser(
        "CN_LANDLINE",
        r"0(?:10|2[0-57-9]|[3-9]\d\d)[2-8]\d{6,7}",
        score=SHAPE,
        digits=10,
        words=("座机", "电话", "总机", "传真"),
    ),
    Recogniser(
        "CN_BANK_CARD",
        r"62\d{14,17}|62\d\d(?:([- ])\d{4})(?:\1\d{4}){2}(?:\1?\d{1,3})?",
        score=CERTAIN,
        check=_is_six_two,
        digits=16,
        words=("卡号", "银行卡", "账号", "账户", "收款"),
    ),
    Recogniser(
        "CN_USCC", r"[1-9AY][1-9]\d{6}[0-9A-HJ-NP-RTUWXY]{10}", score=CERTAIN, check=checksums.cn_uscc, digits=8
    ),
    # Small letters need a word nearby: 新 and 云 begin many a product name.
    *(
        Recogniser(
            "CN_PLATE",
            _PLATE,
            score=score,
            check=_has_digit,
            digits=1,
            left="",
            words=("车牌", "停车", "我开", "车主"),
            needs=_PROVINCES,
            exact=exact,
        )
        for score, exact in ((0.8, True), (SHAPE, False))
    ),
    Recogniser(
        "CN_PASSPORT",
        r"(?:护照|PASSPORT)(?:号码|号)?(?: ?(?:NO\.?|NUMBER))?"
        + _IS
        + r"(?P<value>(?:[DEGPS]\d|E[A-HJ-NP-Z]|[DPS]E)\d{7})",
        score=0.8,
        left="",
        digits=7,
    ),
    Recogniser(
        "CN_PASSPORT",
        r"E[A-HJ-NP-Z\d]\d{7}|G\d{8}",
        digits=7,
        words=("护照", "passport"),
    ),
    Recogniser(
        "CN_TRAVEL_PERMIT",
        r"[CHMW]\d{8}(?:\d\d)?|C[A-HJ-NP-Z]\d{7}",
        digits=7,
        words=("通行证", "回乡证", "台胞证"),
    ),
    Recogniser(
        "HK_ID_CARD",
        r"[A-Z]{1,2}\d{6}\([\dA]\)|[A-Z]{1,2}\d{6}[\dA]",
        score=CHECKED,
        check=checksums.hk_id,
        words=("香港身份证", "身份證", "身份证", "hkid"),
        digits=6,
        right=r"(?![0-9A-Za-z])",
    ),
    Recogniser(
        "TW_NATIONAL_ID",
        r"[A-Z][1289]\d{8}",
        score=CHECKED,
        check=checksums.tw_id,
        words=("身分證", "身份證", "身份证", "居留證"),
        digits=9,
    ),
    # Not behind a stroke: an invitation to a chat on Telegram is t.me/+ and any letters, a V among them.
    Recogniser(
        "WECHAT_ID",
        _WECHAT + r" ?(?:[:=是为] ?|:: ?)(?P<value>[A-Za-z][A-Za-z0-9_-]{5,19})",
        score=0.8,
        left=r"(?<![0-9A-Za-z/])",
    ),
    # With nothing in between, the name must not look like a word.
    Recogniser(
        "WECHAT_ID",
        _WECHAT + r" ?(?P<value>(?=[A-Z_-]*[0-9_])[A-Z][A-Z0-9_-]{5,19})",
        score=0.8,
        left=r"(?<![0-9A-Za-z/])",
    ),
    Recogniser(
        "QQ",
        _QQ + r"[ ]?[:是为=]?[ ]?(?P<value>[1-9]\d{4,10})",
        score=0.85,
        digits=5,
    ),
)
