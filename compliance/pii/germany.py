"""Germany: people, insurance, doctors, cars, registers."""

import re

from compliance.pii import checksums
from compliance.pii.recogniser import CHECKED, SHAPE, Recogniser

# Serials of passports and identity cards have no vowels, and no B, D, Q or S.
_SERIAL = "[0-9CFGHJKLMNPRTVWXYZ]"
# The associations of statutory health insurance physicians.
_KV = "0[1-3]|17|2[01]|3[58]|4[6-9]|5[0-25-9]|6[0-3]|7[1-38]|8[38]|9[348]"


def _is_physician(value: str) -> bool:
    return value[7:] != "00" and checksums.de_lanr(value)


def _may_be_tax_id(value: str) -> bool:
    """Numbers for tests have ten different digits."""
    return max(map(value.count, set(value))) <= 3 and checksums.mod_11_10(value)


def _is_practice(value: str) -> bool:
    return re.match(_KV, value) is not None and len(set(value)) > 1


def _has_a_digit_apart(value: str) -> bool:
    """A word of nine letters is no document."""
    return sum(sign.isdigit() for sign in value) >= 3 and checksums.de_document(value)


GERMANY = (
    Recogniser(
        "DE_TAX_ID",
        r"[1-9]\d{10}|[1-9]\d \d{3} \d{3} \d{3}",
        check=_may_be_tax_id,
        proof=checksums.de_tax_id,
        proved=CHECKED,
        digits=11,
        words=(
            "steuer-id",
            "steuerid",
            "idnr",
            "identifikationsnummer",
            "steueridentifikationsnummer",
            "steuerliche",
            "tin",
        ),
    ),
    Recogniser(
        "DE_TAX_NUMBER",
        r"\d{2,3}/\d{3,4}/\d{4,5}|(?!00)\d{13}",
        digits=9,
        words=("steuernummer", "steuernr", "st.-nr", "stnr", "finanzamt"),
    ),
    Recogniser(
        "DE_VAT_ID",
        r"DE[ .-]?\d{3}[ .-]?\d{3}[ .-]?\d{3}",
        score=CHECKED,
        proof=checksums.de_vat_id,
        digits=9,
        words=("ust-idnr", "ust-id", "ustid", "umsatzsteuer", "vat"),
    ),
    Recogniser(
        "DE_SOCIAL_SECURITY",
        r"\d{2} ?\d{6} ?[A-Z] ?\d{3}",
        score=0.8,
        check=checksums.de_social_security,
        digits=11,
        words=("rentenversicherungsnummer", "sozialversicherungsnummer", "rvnr", "svnr"),
    ),
    Recogniser(
        "DE_HEALTH_INSURANCE",
        r"[A-Z]\d{9}",
        score=CHECKED,
        check=checksums.de_health_insurance,
        digits=9,
        words=("krankenversichertennummer", "versichertennummer", "kvnr", "krankenkasse", "gesundheitskarte"),
    ),
    Recogniser(
        "DE_PASSPORT",
        rf"[CFGHJKLMNPRTVWXYZ]{_SERIAL}{{7}}\d(?:[0-9]D?)?",
        check=_has_a_digit_apart,
        digits=3,
        words=("reisepass", "passnummer", "pass-nr", "reisepassnummer", "passport"),
    ),
    Recogniser(
        "DE_ID_CARD",
        rf"[LMNPRTVWXY]{_SERIAL}{{8}}\d?D?",
        check=_has_a_digit_apart,
        digits=3,
        words=("personalausweis", "ausweisnummer", "ausweis", "personalausweisnummer"),
    ),
    # As printed, the check digit stands apart and is left out.
    Recogniser("DE_ID_CARD", r"T\d{8}", digits=8, words=("personalausweis", "ausweisnummer", "ausweis")),
    Recogniser(
        "DE_FUEHRERSCHEIN",
        r"[A-Z]{2}\d{8}[A-Z0-9]|[A-Z]\d{2}[A-Z0-9]{6}\d[A-Z0-9]",
        digits=3,
        words=("führerschein", "fuehrerschein", "führerscheinnummer", "fahrerlaubnis"),
    ),
    Recogniser(
        "DE_LANR",
        r"\d{9}",
        check=_is_physician,
        digits=9,
        words=("lanr", "arztnummer", "lebenslange arztnummer", "arztes"),
    ),
    Recogniser(
        "DE_BSNR", r"\d{9}", check=_is_practice, digits=9, words=("bsnr", "betriebsstättennummer", "betriebsstätte")
    ),
    Recogniser(
        "DE_HANDELSREGISTER",
        r"HR[AB][ :-]?(?:NR\.? ?)?\d{1,6}(?: ?[A-Z]{1,2})?",
        score=CHECKED,
        digits=1,
        words=("handelsregister", "amtsgericht", "registergericht"),
    ),
    Recogniser(
        "DE_KFZ",
        r"[A-ZÄÖÜ]{1,3}(?:[ ]?-[ ]?| )[A-Z]{1,2}[ -]?[1-9]\d{0,3}[EH]?",
        score=SHAPE,
        digits=1,
        words=("kennzeichen", "kfz", "fahrzeug", "nummernschild"),
        left=r"(?<![0-9A-Za-zÄÖÜäöü])(?<![0-9A-Za-zÄÖÜäöü]-)",
    ),
    Recogniser("DE_PLZ", r"(?!00|99999)\d{5}", score=SHAPE, digits=5, words=("plz", "postleitzahl")),
)
