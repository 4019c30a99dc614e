"""Where a post may go: markets, businesses and platforms, by the names that rules use."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError

MARKETS = {
    "CN": "China",
    "US": "United States",
    "UK": "United Kingdom",
    "EU": "European Union",
    "AT": "Austria",
    "DE": "Germany",
    "ES": "Spain",
    "FR": "France",
    "IE": "Ireland",
    "IT": "Italy",
    "NL": "Netherlands",
    "PL": "Poland",
    "SE": "Sweden",
}
EU_MEMBERS = frozenset({"AT", "DE", "ES", "FR", "IE", "IT", "NL", "PL", "SE"})
OTHER_NAMES = {"GB": "UK"}
INDUSTRIES = {
    "alcohol": "Alcohol",
    "cosmetics": "Cosmetics",
    "education": "Education",
    "fashion": "Fashion",
    "finance": "Finance and insurance",
    "food": "Food and drink",
    "franchise": "Franchise and business opportunities",
    "gambling": "Gambling",
    "medical": "Medicine and clinics",
    "medical_aesthetics": "Medical aesthetics",
    "pharma": "Medicines and devices",
    "real_estate": "Real estate",
    "software": "Software and technology",
    "supplement": "Dietary supplements",
    "tobacco": "Tobacco and vapes",
    "travel": "Travel",
}
PLATFORMS = {
    "x": "X",
    "telegram": "Telegram",
    "instagram": "Instagram",
    "facebook": "Facebook",
    "threads": "Threads",
    "tiktok": "TikTok",
    "youtube": "YouTube",
    "linkedin": "LinkedIn",
    "reddit": "Reddit",
    "whatsapp": "WhatsApp",
    "xiaohongshu": "小红书",
    "wechat": "微信公众号",
    "douyin": "抖音",
    "weibo": "微博",
    "email": "E-mail",
    "sms": "SMS",
    "web": "Website",
}
MAX_MARKETS = 20


def clean_markets(given: Iterable[str]) -> list[str]:
    """Known codes, each once; raises ValidationError for any other."""
    codes = [str(code).strip().upper() for code in given]
    found = list(dict.fromkeys(OTHER_NAMES.get(code, code) for code in codes if code))
    return _known(found, MARKETS, "market")


def clean_industry(given: str) -> str:
    return next(iter(_known([given.strip()] if given.strip() else [], INDUSTRIES, "industry")), "")


def clean_platforms(given: Iterable[str]) -> list[str]:
    return _known(list(dict.fromkeys(str(name).strip().lower() for name in given if name)), PLATFORMS, "platform")


def _known(names: list[str], known: dict[str, str], noun: str) -> list[str]:
    if unknown := [name[:40] for name in names if name not in known]:
        raise ValidationError(f"There is no {noun} {', '.join(unknown)}. Choose from {', '.join(known)}.")
    return names


def jurisdictions_of(markets: Iterable[str]) -> tuple[str, ...]:
    """What rules call them: a member state has its own law and the Union's."""
    codes = tuple(dict.fromkeys(OTHER_NAMES.get(code, code) for code in markets))
    needs_union = not EU_MEMBERS.isdisjoint(codes) and "EU" not in codes
    return (*codes, "EU") if needs_union else codes


def market_names(codes: Iterable[str]) -> list[str]:
    return [MARKETS.get(code, code) for code in codes]
