"""Keys and tokens as their providers write them. Put together here, so that no scanner takes them for lost ones."""

import pytest

from compliance.pii import DECLARED, find

HEX = "0123456789abcdef"
MIX = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z6a7B8c9D0e1F2g3H4"
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"

TOKENS = {
    "SECRET_ALIYUN": ["LTAI" + MIX[:20]],
    "SECRET_ANTHROPIC": ["sk-ant-" + "api03-" + MIX],
    "SECRET_AWS": ["AKIA" + "IOSFODNN7EXAMPLE", "ASIA" + "ABCDEFGHIJKLMNOP"],
    "SECRET_DATABRICKS": ["dapi" + HEX * 2],
    "SECRET_DIGITALOCEAN": ["dop_v1_" + HEX * 4],
    "SECRET_DISCORD": ["M" + MIX[:23] + "." + MIX[:6] + "." + MIX[:27]],
    "SECRET_GITHUB": ["ghp_" + MIX[:36], "github_" + "pat_" + MIX[:60]],
    "SECRET_GITLAB": ["glpat-" + MIX[:20]],
    "SECRET_GOOGLE": ["AIza" + MIX[:35], "GOCSPX-" + MIX[:28], "ya29." + MIX[:40]],
    "SECRET_GROQ": ["gsk_" + MIX[:52]],
    "SECRET_HUGGINGFACE": ["hf_" + LETTERS[:34]],
    "SECRET_JWT": ["eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiIxMjM0NTY3ODkwIn0" + "." + MIX[:43]],
    "SECRET_MAILCHIMP": [HEX * 2 + "-us12"],
    "SECRET_MAILGUN": ["key-" + HEX * 2],
    "SECRET_META": ["EAA" + MIX + MIX],
    "SECRET_NOTION": ["ntn_" + MIX[:46], "secret_" + MIX[:43]],
    "SECRET_NPM": ["npm_" + MIX[:36]],
    "SECRET_OPENAI": ["sk-" + MIX[:48], "sk-proj-" + MIX],
    "SECRET_PERPLEXITY": ["pplx-" + MIX[:48]],
    "SECRET_PYPI": ["pypi-" + "AgEIcHlwaS5vcmc" + MIX[:60]],
    "SECRET_SENDGRID": ["SG." + MIX[:22] + "." + MIX[:43]],
    "SECRET_SENTRY": ["sntrys_" + MIX[:60]],
    "SECRET_SHOPIFY": ["shpat_" + HEX * 2],
    "SECRET_SLACK": ["xoxb-" + "123456789012-" + MIX[:24]],
    "SECRET_SQUARE": ["sq0atp-" + MIX[:22]],
    "SECRET_STRIPE": ["sk_live_" + MIX[:24], "rk_test_" + MIX[:24], "whsec_" + MIX[:32]],
    "SECRET_TELEGRAM_BOT": ["123456789:" + "AAH" + MIX[:32]],
    "SECRET_TENCENT": ["AKID" + MIX[:32]],
    "SECRET_TWILIO": ["SK" + HEX * 2],
    "SECRET_XAI": ["xai-" + MIX + MIX[:20]],
    "SECRET_X_BEARER": ["A" * 22 + "MLheAAAAAAA0%2BuSeid%2B" + MIX[:60]],
}


def found(text: str) -> list[tuple[str, str]]:
    return [(one.type, text[one.start : one.end]) for one in find(text)]


def test_every_provider_we_claim_has_an_example() -> None:
    claimed = {type_ for type_ in DECLARED if type_.startswith("SECRET_")}

    assert claimed == {*TOKENS, "SECRET_ASSIGNMENT", "SECRET_PRIVATE_KEY", "SECRET_URL_PASSWORD"}


@pytest.mark.parametrize("type_", TOKENS)
def test_token_is_found_wherever_it_stands(type_: str) -> None:
    for token in TOKENS[type_]:
        for before, after in (("", ""), ("密钥是", "，别外传"), ("key: ", "\n"), ("('", "')")):
            assert found(before + token + after) == [(type_, token)]


def test_token_that_is_cut_short_is_not_found_as_one() -> None:
    short = [token[:11] for tokens in TOKENS.values() for token in tokens]

    assert [start for start in short if found(f"see {start} here")] == []


@pytest.mark.parametrize(
    ("text", "type_", "value"),
    [
        ("postgres://app:hunter22@db.example.com/app", "SECRET_URL_PASSWORD", "hunter22"),
        ("redis://:s3cret-pw@cache:6379/0", "SECRET_URL_PASSWORD", "s3cret-pw"),
        ("https://jane:pa55@example.com/x", "SECRET_URL_PASSWORD", "pa55"),
        ("api_key = 'f3a9c1d27b6e48508d1c'", "SECRET_ASSIGNMENT", "f3a9c1d27b6e48508d1c"),
        ('"client_secret": "Zx81-qq92-Lm03"', "SECRET_ASSIGNMENT", "Zx81-qq92-Lm03"),
        ("PASSWORD=Tr0ub4dor&3", "SECRET_ASSIGNMENT", "Tr0ub4dor&3"),
        ("数据库密码：Abc12345!", "SECRET_ASSIGNMENT", "Abc12345!"),
        ("密码是Qwerty2024", "SECRET_ASSIGNMENT", "Qwerty2024"),
        ("https://hooks.slack.com/services/T000/B000/" + MIX[:24], "SECRET_SLACK", "T000/B000/" + MIX[:24]),
        ("discord.com/api/webhooks/123456789012345678/" + MIX, "SECRET_DISCORD", "123456789012345678/" + MIX),
        (
            "https://api.telegram.org/bot123456789:AAH" + MIX[:32] + "/getMe",
            "SECRET_TELEGRAM_BOT",
            "123456789:AAH" + MIX[:32],
        ),
    ],
)
def test_only_the_secret_part_is_reported(text: str, type_: str, value: str) -> None:
    assert found(text) == [(type_, value)]


@pytest.mark.parametrize(
    "kind", ["RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY", "EC PRIVATE KEY", "PGP PRIVATE KEY BLOCK"]
)
def test_private_key_is_found_with_all_its_lines(kind: str) -> None:
    key = f"-----BEGIN {kind}-----\n{MIX}\n{MIX}\n-----END {kind}-----"

    assert found(f"Here:\n{key}\nBye") == [("SECRET_PRIVATE_KEY", key)]


def test_private_key_without_its_end_is_found() -> None:
    assert [type_ for type_, _ in found("-----BEGIN PRIVATE KEY-----\n" + MIX)] == ["SECRET_PRIVATE_KEY"]


@pytest.mark.parametrize(
    "text",
    [
        "password: ********",
        "password: your_password_here1",
        "token: <your-token-123>",
        "API key = ${API_KEY_2024}",
        "secret: xxxxxxxx1234",
        "the secret: discipline4you",
        "token economy: growth2024",
        "Our secret is patience and practice",
        "密码：生日",
        "-----BEGIN PUBLIC KEY-----\n" + MIX,
        "-----BEGIN CERTIFICATE-----\n" + MIX,
        "https://example.com:8080/path@home",
        "ssh://git@example.com/repo",
        "risk-free sk-incare routine for sk-in-and-hair-and-more-of-it",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAH!",
        "12:30 and 123456789:30",
    ],
)
def test_manuals_and_prose_hold_no_secrets(text: str) -> None:
    assert [one for one in found(text) if one[0].startswith("SECRET_")] == []
