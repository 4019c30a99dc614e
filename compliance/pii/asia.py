"""India, Korea, South-East Asia, Australia and Africa."""

from compliance.pii import checksums
from compliance.pii.recogniser import CHECKED, Recogniser

_GST_STATES = r"(?:0[1-9]|[12]\d|3[0-8]|97|99)"
_IN_STATES = "(?:A[NPRS]|BR|C[GH]|D[DLN]|G[AJ]|H[PR]|J[HK]|K[AL]|L[AD]|M[HLNPZ]|NL|O[DR]|P[BY]|RJ|SK|T[GNRS]|U[AKP]|WB)"
_UEN_KINDS = (
    "LP|LL|FC|PF|RF|MQ|MM|NB|CC|CS|MB|FM|GS|DP|CP|NR|CM|CD|MD|HS|VH|CH|MH|CL|XL|CX|HC|RP|TU|TC|FB|FN|PA|PB|SS"
    "|MC|SM|GA|GB"
)


INDIA = (
    Recogniser(
        "IN_AADHAAR",
        r"[2-9]\d{3}([- :]?)\d{4}\1\d{4}",
        score=CHECKED,
        check=checksums.in_aadhaar,
        digits=12,
        words=("aadhaar", "aadhar", "uidai"),
    ),
    Recogniser(
        "IN_PAN",
        r"[A-Z]{5}\d{4}[A-Z]",
        proof=lambda value: value[3] in "ABCFGHJLPTEK",
        proved=CHECKED,
        digits=4,
        words=("pan", "permanent account", "income tax"),
    ),
    Recogniser(
        "IN_GSTIN",
        rf"{_GST_STATES}[A-Z]{{5}}\d{{4}}[A-Z][1-9A-Z]Z[0-9A-Z]",
        score=CHECKED,
        proof=checksums.in_gstin,
        digits=7,
        words=("gstin", "gst"),
    ),
    Recogniser(
        "IN_PASSPORT", r"[A-PR-WY][1-9]\d{5}[1-9]", digits=7, words=("passport", "travel document", "indian passport")
    ),
    Recogniser("IN_VOTER", r"[A-Z]{3}\d{7}", digits=7, words=("voter", "epic", "vote", "elector")),
    # Cars from before 1989 have three letters and no district.
    Recogniser("IN_VEHICLE_REGISTRATION", r"[A-Z]{3} ?\d{4}", digits=4, words=("vehicle", "rto")),
    Recogniser(
        "IN_VEHICLE_REGISTRATION",
        rf"{_IN_STATES}[ -]?\d{{1,2}}[ -]?[A-Z]{{0,3}}[ -]?\d{{4}}|\d\d ?BH ?\d{{4}} ?[A-Z]{{1,2}}",
        digits=5,
        words=("vehicle", "registration", "plate", "car", "rto"),
    ),
)

KOREA = (
    Recogniser(
        "KR_RRN",
        r"\d{6}-?[1-4]\d{6}",
        check=checksums.kr_born,
        proof=checksums.kr_rrn,
        proved=CHECKED,
        digits=13,
        words=("주민등록번호", "주민번호", "rrn", "resident registration"),
    ),
    Recogniser(
        "KR_FRN",
        r"\d{6}-?[5-8]\d{6}",
        check=checksums.kr_born,
        proof=checksums.kr_frn,
        proved=CHECKED,
        digits=13,
        words=("외국인등록번호", "외국인", "frn", "foreigner registration"),
    ),
    Recogniser(
        "KR_BRN",
        r"\d{3}(-?)\d{2}\1\d{5}",
        check=checksums.kr_brn,
        digits=10,
        words=("사업자등록번호", "사업자번호", "brn", "business registration"),
    ),
    Recogniser(
        "KR_DRIVER_LICENSE",
        r"(?:1[1-9]|2[0-68])([- ]?)\d{2}\1\d{6}\1\d{2}",
        digits=12,
        words=("운전면허", "면허번호", "운전면허번호", "driver", "license"),
    ),
    Recogniser("KR_PASSPORT", r"[MSRODG](?:\d{3}[A-Z]\d{4}|\d{8})", digits=7, words=("여권", "여권번호", "passport")),
)

SOUTH_EAST_ASIA = (
    Recogniser(
        "TH_TNIN",
        r"[1-8]\d{12}|[1-8]-\d{4}-\d{5}-\d{2}-\d",
        score=CHECKED,
        check=checksums.th_national_id,
        digits=13,
        words=("บัตรประชาชน", "ประจำตัวประชาชน", "tnin", "thai national"),
    ),
    Recogniser(
        "SG_NRIC_FIN",
        r"[STFGM]\d{7}[A-Z]",
        score=0.6,
        check=checksums.sg_nric,
        digits=7,
        words=("nric", "fin", "identity card"),
    ),
    Recogniser(
        "SG_UEN",
        rf"\d{{8}}[A-Z]|(?:18|19|20)\d{{7}}[A-Z]|[RST]\d\d(?:{_UEN_KINDS})\d{{4}}[A-Z]",
        score=CHECKED,
        check=checksums.sg_uen,
        digits=6,
        words=("uen", "unique entity", "business registration"),
    ),
    Recogniser(
        "PH_MOBILE_NUMBER",
        r"(?:(?:\+|00)63[- ]?|63[- ]|0[- ]?)(?:\(9\d\d\)|9\d\d)[- ]?\d{3}[- ]?\d{4}|639\d{9}",
        score=CHECKED,
        digits=11,
        words=("mobile", "numero", "text", "call", "cellphone", "phone", "gcash"),
        left=r"(?<![0-9A-Za-z+])(?<![0-9][-.])",
    ),
    Recogniser(
        "PH_TIN",
        r"\d{3}(-?)\d{3}\1\d{3}(?:\1\d{3}|\1\d{5})?",
        check=checksums.ph_tin,
        digits=9,
        words=("tin", "bir", "taxpayer"),
    ),
)

AUSTRALIA = (
    Recogniser(
        "AU_ABN",
        r"[1-9]\d( ?)\d{3}\1\d{3}\1\d{3}",
        score=CHECKED,
        check=checksums.au_abn,
        digits=11,
        words=("abn", "business number", "australian business"),
    ),
    Recogniser(
        "AU_ACN",
        r"\d{3}( ?)\d{3}\1\d{3}",
        check=checksums.au_acn,
        digits=9,
        words=("acn", "company number", "australian company"),
    ),
    Recogniser(
        "AU_TFN",
        r"\d{3}( ?)\d{3}\1\d{3}",
        check=checksums.au_tfn,
        digits=9,
        words=("tfn", "tax file", "tax file number"),
    ),
    Recogniser(
        "AU_MEDICARE",
        r"[2-6]\d{3}( ?)\d{5}\1\d",
        check=checksums.au_medicare,
        digits=10,
        words=("medicare",),
    ),
)

AFRICA = (
    Recogniser(
        "ZA_ID_NUMBER",
        r"\d{6} ?\d{4} ?[012]\d{2}",
        score=CHECKED,
        check=checksums.za_id,
        digits=13,
        words=("south african id", "sa id", "rsa id", "identity number", "id number", "south african"),
    ),
    Recogniser(
        "NG_VEHICLE_REGISTRATION",
        r"[A-Z]{3}[- ]?\d{3}[- ]?[A-Z]{2}",
        digits=3,
        words=("plate", "vehicle", "registration", "plate number"),
    ),
)

ASIA = INDIA + KOREA + SOUTH_EAST_ASIA + AUSTRALIA + AFRICA
