"""Keys, tokens and passwords, by the prefixes that providers give them so that they can be found."""

import re
from collections import Counter
from math import log2

from compliance.pii.recogniser import CERTAIN, Recogniser

_SIGN = "[A-Za-z0-9_-]"
_LEFT, _RIGHT = "(?<![A-Za-z0-9_-])", "(?![A-Za-z0-9_-])"

# Type, how it looks, a sign without which no search is needed.
_PREFIXED = (
    ("SECRET_AWS", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}", "A"),
    ("SECRET_ALIYUN", r"LTAI[A-Za-z0-9]{12,24}", "L"),
    ("SECRET_TENCENT", r"AKID[A-Za-z0-9]{13,40}", "K"),
    ("SECRET_GITHUB", r"gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{40,255}", "_"),
    ("SECRET_GITLAB", rf"gl(?:pat|oas|dt|rt|cbt|ptt|ft|imt|agent|soat)-{_SIGN}{{20,255}}", "-"),
    ("SECRET_ANTHROPIC", rf"sk-ant-{_SIGN}{{20,255}}", "-"),
    ("SECRET_OPENAI", rf"sk-(?!ant-)(?:proj-|svcacct-|admin-|None-)?(?={_SIGN}*\d){_SIGN}{{20,255}}", "-"),
    ("SECRET_GOOGLE", rf"AIza{_SIGN}{{35}}|GOCSPX-{_SIGN}{{28}}|ya29\.{_SIGN}{{20,512}}", "zX9"),
    ("SECRET_SLACK", r"xox[abeoprs]-[A-Za-z0-9-]{10,255}|xapp-\d-[A-Za-z0-9-]{20,255}", "x"),
    ("SECRET_SLACK", r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<value>[A-Za-z0-9/_-]{30,255})", "/"),
    ("SECRET_STRIPE", r"(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,255}|whsec_[A-Za-z0-9+/=]{24,255}", "_"),
    ("SECRET_SQUARE", rf"(?:EAAA|sq0(?:atp|csp)-){_SIGN}{{22,100}}", "Eq"),
    ("SECRET_META", r"EAA[A-Za-z0-9]{60,300}", "E"),
    ("SECRET_TELEGRAM_BOT", rf"(?:bot)?(?P<value>\d{{8,10}}:A{_SIGN}{{34}})", ":"),
    ("SECRET_X_BEARER", r"A{18,30}[A-Za-z0-9]{6,20}(?:%[A-Za-z0-9]{2}|[A-Za-z0-9]){30,120}", "A"),
    ("SECRET_DISCORD", r"discord(?:app)?\.com/api/webhooks/(?P<value>\d{17,20}/[A-Za-z0-9_-]{60,80})", "/"),
    ("SECRET_DISCORD", rf"[MNO][A-Za-z0-9_-]{{23,27}}\.{_SIGN}{{6}}\.{_SIGN}{{27,38}}", "."),
    ("SECRET_HUGGINGFACE", r"hf_[A-Za-z]{34}", "_"),
    ("SECRET_NPM", r"npm_[A-Za-z0-9]{36}", "_"),
    ("SECRET_PYPI", rf"pypi-AgE{_SIGN}{{50,255}}", "-"),
    ("SECRET_SENDGRID", rf"SG\.{_SIGN}{{22}}\.{_SIGN}{{43}}", "."),
    ("SECRET_TWILIO", r"SK[0-9a-f]{32}", "S"),
    ("SECRET_MAILGUN", r"key-[0-9a-f]{32}", "-"),
    ("SECRET_MAILCHIMP", r"[0-9a-f]{32}-us\d{1,2}", "-"),
    ("SECRET_SHOPIFY", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}", "_"),
    ("SECRET_DIGITALOCEAN", r"do[opr]_v1_[0-9a-f]{64}", "_"),
    ("SECRET_DATABRICKS", r"dapi[0-9a-f]{32}(?:-\d)?", "d"),
    ("SECRET_NOTION", r"(?:secret_[A-Za-z0-9]{43}|ntn_[A-Za-z0-9]{40,60})", "_"),
    ("SECRET_SENTRY", r"sntr[yu][su]_[A-Za-z0-9_=+/]{40,255}", "_"),
    ("SECRET_GROQ", r"gsk_[A-Za-z0-9]{40,80}", "_"),
    ("SECRET_XAI", r"xai-[A-Za-z0-9]{60,100}", "-"),
    ("SECRET_PERPLEXITY", r"pplx-[A-Za-z0-9]{40,80}", "-"),
    ("SECRET_JWT", rf"eyJ{_SIGN}{{10,2000}}\.eyJ{_SIGN}{{10,4000}}\.{_SIGN}{{16,1000}}", "."),
)

# What may stand for a value in a manual.
_PLACEHOLDER = re.compile(
    r"(?i)^(?:your|my|change|example|placeholder|insert|todo|none|null|true|false|undefined)|[<>{}$*…]|(.)\1{4,}|x{4,}"
)
_NAMES = (
    r"(?:api|app|access|secret|auth|private|client|bearer|refresh|signing|encryption)[ _-]?(?:key|token|secret)s?"
    r"|token|secret|passwd|password|passphrase|pwd|credentials?|密码|口令|密钥|秘钥|令牌"
)


def entropy(value: str) -> float:
    """Bits per sign."""
    return -sum(count / len(value) * log2(count / len(value)) for count in Counter(value).values())


def _looks_random(value: str) -> bool:
    """Letters and digits mixed, few of them twice; a word or a plain number is no secret we can know."""
    digits = sum(map(str.isdigit, value))
    letters = sum(map(str.isalpha, value))
    mixed = bool(digits and letters) and (digits > 1 or letters + digits < len(value) or not value.islower())
    return mixed and not _PLACEHOLDER.search(value) and entropy(value) >= 2.75


def _is_password(value: str) -> bool:
    return not _PLACEHOLDER.search(value)


SECRETS = (
    *(
        Recogniser(type_, pattern, score=CERTAIN, needs=needs, exact=True, left=_LEFT, right=_RIGHT)
        for type_, pattern, needs in _PREFIXED
    ),
    Recogniser(
        "SECRET_PRIVATE_KEY",
        r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----[^-]{16,}(?:-----END [A-Z0-9 ]{0,40}-----)?"
        r"|PuTTY-User-Key-File-\d[\s\S]{40,}",
        score=1.0,
        needs="-",
        exact=True,
        left="",
        right="",
    ),
    Recogniser(
        "SECRET_URL_PASSWORD",
        r"[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/:@'\"<>]{0,100}:(?P<value>[^\s/@'\"<>]{3,200})@[A-Za-z0-9\[]",
        score=1.0,
        check=_is_password,
        needs="@",
        exact=True,
        right="",
    ),
    Recogniser(
        "SECRET_ASSIGNMENT",
        rf"(?i:{_NAMES})[\"']?[ ]?(?:[:=]{{1,2}}|=>|是|为)[ ]?[\"'`]?(?P<value>[A-Za-z0-9_\-+/=.~!@#%^&]{{8,256}})",
        score=0.8,
        check=_looks_random,
        needs=":=是为",
        exact=True,
        left=r"(?<![A-Za-z])",
        right=r"(?![A-Za-z0-9])",
    ),
)
