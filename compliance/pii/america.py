"""The United States, Canada and Brazil."""

from compliance.pii import checksums
from compliance.pii.recogniser import CERTAIN, CHECKED, SHAPE, Recogniser

# Letters that are not mistaken for digits, as CMS uses them.
_MBI = "[AC-HJKMNP-RT-Y]"
_MBI_SIGN = "[0-9AC-HJKMNP-RT-Y]"

AMERICA = (
    Recogniser(
        "US_SSN",
        r"\d{3}([-. ])\d{2}\1\d{4}|\d{3}-\d{6}|\d{5}-\d{4}",
        score=CHECKED,
        check=checksums.us_ssn,
        digits=9,
        words=("ssn", "social security", "social"),
    ),
    Recogniser("US_SSN", r"\d{9}", check=checksums.us_ssn, digits=9, words=("ssn", "ssns", "social security")),
    Recogniser(
        "US_ITIN",
        r"9\d{2}[- ]?\d{2}[- ]?\d{4}",
        check=checksums.us_itin,
        digits=9,
        words=("itin", "tax id", "taxpayer", "individual taxpayer"),
    ),
    Recogniser(
        "US_PASSPORT",
        r"[A-Z]\d{8}|\d{9}",
        digits=8,
        words=("passport", "us passport", "travel document"),
    ),
    Recogniser(
        "US_MBI",
        rf"[1-9]{_MBI}{_MBI_SIGN}\d(-?){_MBI}{_MBI_SIGN}\d\1{_MBI}{{2}}\d\d",
        score=CHECKED,
        digits=5,
        words=("mbi", "medicare", "beneficiary", "patient"),
    ),
    Recogniser(
        "US_NPI",
        r"[12]\d{9}|[12]\d{3}([- ])\d{3}\1\d{3}",
        check=checksums.us_npi,
        digits=10,
        words=("npi", "provider", "national provider"),
    ),
    Recogniser(
        "MEDICAL_LICENSE",
        r"[ABCDEFGHJKLMPRSTUX][A-Z9]\d{7}",
        score=CHECKED,
        check=checksums.us_dea,
        digits=7,
        words=("dea", "certificate", "medical", "licence", "license"),
    ),
    Recogniser(
        "ABA_ROUTING_NUMBER",
        r"\d{9}|\d{4}-\d{4}-\d",
        check=checksums.us_aba,
        digits=9,
        words=("aba", "routing", "bank", "wire"),
    ),
    Recogniser(
        "CA_SIN",
        r"\d{3}([- ]?)\d{3}\1\d{3}",
        check=checksums.ca_sin,
        digits=9,
        words=("sin", "social insurance", "nas", "assurance sociale"),
    ),
    Recogniser("BR_CPF", r"\d{3}\.\d{3}\.\d{3}-\d\d", score=CERTAIN, check=checksums.br_cpf, digits=11),
    Recogniser("BR_CPF", r"\d{11}", score=SHAPE, check=checksums.br_cpf, digits=11, words=("cpf",)),
    Recogniser("BR_CNPJ", r"\d{2}\.\d{3}\.\d{3}/\d{4}-\d\d", score=CERTAIN, check=checksums.br_cnpj, digits=14),
    Recogniser("BR_CNPJ", r"\d{14}", score=SHAPE, check=checksums.br_cnpj, digits=14, words=("cnpj",)),
)
