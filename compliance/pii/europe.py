"""Europe but for Germany, and Turkey."""

from compliance.pii import checksums
from compliance.pii.recogniser import CERTAIN, CHECKED, Recogniser

_POSTCODE = (
    r"(?:[A-PR-UWYZ](?:\d{1,2}|\d[A-HJKPSTUW]|[A-HK-Y]\d{1,2}|[A-HK-Y]\d[ABEHMNPRVWXY])) ?\d[ABD-HJLNP-UW-Z]{2}"
    r"|GIR ?0AA"
)
# A fiscal code's digits may be letters where two people would share one.
_O = "[0-9L-NP-V]"

BRITAIN = (
    Recogniser(
        "UK_NHS",
        r"\d{3}([- ]?)\d{3}\1\d{4}",
        check=checksums.uk_nhs,
        digits=10,
        words=("nhs", "national health", "health service", "patient"),
    ),
    Recogniser(
        "UK_NINO",
        r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]",
        score=0.6,
        digits=6,
        words=("nino", "national insurance", "ni number"),
    ),
    Recogniser(
        "UK_PASSPORT",
        r"[A-Z]{2}\d{7}",
        digits=7,
        words=("passport", "travel document"),
    ),
    Recogniser(
        "UK_DRIVING_LICENCE",
        r"(?=[A-Z]{1,5}9{0,4}\d{6})[A-Z9]{5}\d{6}[A-Z9]{2}[A-Z0-9][A-Z]{2}",
        score=0.8,
        check=checksums.uk_driving_licence,
        digits=6,
        words=("driving", "licence", "dvla"),
    ),
    Recogniser(
        "UK_VEHICLE_REGISTRATION",
        r"[A-HJ-PR-Y]{2}(?:0[2-9]|[12]\d|5[1-9]|[67]\d)[ -]?[A-HJ-PR-Z]{3}"
        r"|[A-HJ-NPR-TV-Y]\d{1,3} ?[A-HJ-PR-Y][A-HJ-PR-Z]{2}"
        r"|[A-HJ-PR-Y][A-HJ-PR-Z]{2} ?\d{1,3}[A-HJ-NPR-TV-Y]",
        digits=1,
        words=("registration", "number plate", "plate", "vehicle", "vrm", "car"),
    ),
    Recogniser("UK_POSTCODE", _POSTCODE, score=CHECKED, digits=1, words=("postcode", "address")),
)

SPAIN_AND_ITALY = (
    Recogniser(
        "ES_NIF",
        r"\d{7,8}-?[A-Z]",
        score=CHECKED,
        check=lambda value: checksums.es_nif(value.zfill(9)),
        digits=7,
        words=("nif", "dni", "documento nacional", "identificación"),
    ),
    Recogniser(
        "ES_NIE",
        r"[XYZ]-?\d{7}-?[A-Z]",
        score=0.6,
        check=checksums.es_nif,
        digits=7,
        words=("nie", "extranjero", "número de identificación"),
    ),
    Recogniser("ES_PASSPORT", r"[A-Z]{3}\d{6}", digits=6, words=("pasaporte", "passport")),
    Recogniser(
        "IT_FISCAL_CODE",
        rf"[A-Z]{{6}}{_O}{{2}}[A-EHLMPR-T]{_O}{{2}}[A-Z]{_O}{{3}}[A-Z]",
        score=CHECKED,
        proof=checksums.it_fiscal_code,
        words=("codice fiscale", "cf", "fiscal code"),
    ),
    Recogniser(
        "IT_VAT_CODE",
        r"(?:IT ?)?\d{11}|IT[ _]\d{11}",
        check=lambda value: checksums.it_vat(value[-11:]),
        digits=11,
        words=("piva", "partita iva", "p.iva", "vat", "iva"),
    ),
    Recogniser(
        "IT_DRIVER_LICENSE",
        r"U1[0-9B-DF-HJ-NP-TV-Z]{7}[A-Z]|[A-Z]{2}\d{7}[A-Z]",
        digits=3,
        words=("patente", "licenza", "patente di guida"),
    ),
    Recogniser(
        "IT_IDENTITY_CARD",
        r"[A-Z]{2} ?\d{7}|\d{7}[A-Z]{2}|[A-Z]{2}\d{5}[A-Z]{2}",
        digits=5,
        words=("carta d'identità", "carta identità", "carta di identità", "cie"),
    ),
    Recogniser("IT_PASSPORT", r"[A-Z]{2}\d{7}", digits=7, words=("passaporto", "passport")),
)

NORTH_AND_EAST = (
    Recogniser(
        "FI_PERSONAL_IDENTITY_CODE",
        r"\d{6}[-+YXWVUA-Fyxwvua-f]\d{3}[0-9A-FHJ-NPR-Ya-fhj-npr-y]",
        score=CERTAIN,
        check=lambda value: checksums.fi_hetu(value.upper()),
        digits=9,
        exact=True,
        words=("hetu", "henkilötunnus", "personbeteckning"),
    ),
    Recogniser(
        "SE_PERSONNUMMER",
        r"(?:18|19|20)?\d{6}[-+]\d{4}",
        score=0.6,
        check=checksums.se_personnummer,
        digits=10,
        words=("personnummer", "pnr", "personal identity", "samordningsnummer"),
    ),
    Recogniser(
        "SE_PERSONNUMMER",
        r"(?:18|19|20)?\d{10}",
        check=checksums.se_personnummer,
        digits=10,
        words=("personnummer", "pnr", "personal identity", "samordningsnummer"),
    ),
    Recogniser(
        "SE_ORGANISATIONSNUMMER",
        r"(?:16)?\d{6}-?\d{4}",
        check=lambda value: checksums.se_organisation(value[-10:]),
        digits=10,
        words=("organisationsnummer", "orgnummer", "orgnr", "org.nr", "org nr"),
    ),
    Recogniser("PL_PESEL", r"\d{11}", score=CHECKED, check=checksums.pl_pesel, digits=11, words=("pesel",)),
    Recogniser(
        "FR_NIR",
        r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}",
        score=0.8,
        check=checksums.fr_nir,
        digits=14,
        words=("nir", "sécurité sociale", "numéro de sécu"),
    ),
    Recogniser("NL_BSN", r"\d{9}", check=checksums.nl_bsn, digits=9, words=("bsn", "burgerservicenummer")),
)

TURKEY = (
    Recogniser(
        "TR_NATIONAL_ID",
        r"[1-9]\d{10}",
        score=CHECKED,
        check=checksums.tr_national_id,
        digits=11,
        words=("kimlik", "tckn", "tc no", "vatandaşlık", "kimlik numarası"),
    ),
    Recogniser(
        "TR_PHONE_NUMBER",
        r"(?:(?:\+|00)90[ -]?|0[ -]?)?(?:\([2-5]\d\d\)|[2-5]\d\d)[ -]?\d{3}[ -]?\d{2}[ -]?\d{2}",
        digits=10,
        words=("telefon", "tel", "gsm", "cep", "ara", "numara", "phone", "call"),
        left=r"(?<![0-9A-Za-z+])(?<![0-9][-.])",
    ),
    Recogniser(
        "TR_LICENSE_PLATE",
        r"(?:0[1-9]|[1-7]\d|8[01]) ?[A-PR-VYZ]{1,3} ?\d{2,5}",
        digits=4,
        words=("plaka", "plakası", "plate", "araç"),
    ),
)

EUROPE = BRITAIN + SPAIN_AND_ITALY + NORTH_AND_EAST + TURKEY
