# ruff: noqa: E501 - patterns and lists of words read better unbroken
"""Words of English and Chinese texts: language, sentences, key words, and the few that can be said in both."""

import re
from collections import Counter

_CJK = re.compile(r"[\u3400-\u9fff]")
_LATIN = re.compile(r"[A-Za-zÀ-ÿ]")
_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]*")
_WORD = re.compile(r"[A-Za-zÀ-ÿ][A-Za-zÀ-ÿ'’-]+|\d+(?:[.,]\d+)?%?")
_CHINESE_RUN = re.compile(r"[\u3400-\u9fff]{2,}")
# Words that carry grammar only: Chinese phrases are cut at them.
_CHINESE_CUTS = re.compile(
    "的|了|是|在|和|与|把|被|给|对|从|到|为|让|请|我们|你们|他们|我|你|您|一个|一条|一款|这|那|吗|呢|吧|就|都|也|还|很|写|用|关于"
)
_STOP_WORDS = frozenset(
    [
        "a",
        "about",
        "after",
        "all",
        "also",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "because",
        "been",
        "before",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "for",
        "from",
        "had",
        "has",
        "have",
        "he",
        "her",
        "here",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "just",
        "keep",
        "like",
        "make",
        "may",
        "me",
        "more",
        "most",
        "must",
        "my",
        "new",
        "no",
        "not",
        "now",
        "of",
        "on",
        "one",
        "only",
        "or",
        "other",
        "our",
        "out",
        "over",
        "please",
        "post",
        "posts",
        "promote",
        "say",
        "she",
        "should",
        "so",
        "some",
        "such",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "to",
        "up",
        "us",
        "use",
        "very",
        "want",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "who",
        "will",
        "with",
        "write",
        "would",
        "you",
        "your",
        "campaign",
        "text",
        "tweet",
        "draft",
        "language",
        "english",
        "chinese",
        "telegram",
        "words",
        "word",
        "brief",
        "brand",
        "voice",
        "tone",
    ]
)
GLOSSARY = {
    "spring": "春季", "summer": "夏季", "autumn": "秋季", "winter": "冬季", "coffee": "咖啡", "roast": "烘焙",
    "roastery": "烘焙坊", "tea": "茶", "bread": "面包", "bakery": "面包房", "cake": "蛋糕", "food": "美食",
    "restaurant": "餐厅", "menu": "菜单", "sale": "促销", "discount": "折扣", "offer": "优惠", "free": "免费",
    "shipping": "配送", "delivery": "配送", "launch": "上新", "collection": "系列", "product": "产品", "app": "应用",
    "software": "软件", "course": "课程", "workshop": "工作坊", "class": "课堂", "event": "活动", "webinar": "线上讲座",
    "clinic": "诊所", "skin": "肌肤", "skincare": "护肤", "cream": "面霜", "serum": "精华", "sunscreen": "防晒",
    "beauty": "美妆", "shop": "门店", "store": "门店", "book": "图书", "music": "音乐", "travel": "旅行", "hotel": "酒店",
    "garden": "花园", "flowers": "鲜花", "bike": "自行车", "bikes": "自行车", "shoes": "鞋", "fitness": "健身",
    "yoga": "瑜伽", "health": "健康", "gift": "礼物", "gifts": "礼物", "holiday": "假日", "christmas": "圣诞",
    "weekend": "周末", "monday": "周一", "friday": "周五", "saturday": "周六", "sunday": "周日", "today": "今天",
    "tomorrow": "明天", "students": "学生", "families": "家庭", "kids": "孩子", "children": "孩子", "organic": "有机",
    "fresh": "新鲜", "local": "本地", "handmade": "手工", "sustainable": "环保", "online": "线上", "beans": "咖啡豆",
    "subscription": "订阅", "opening": "开业", "anniversary": "周年庆", "community": "社群", "guide": "指南",
    "tips": "小技巧", "recipe": "食谱", "chocolate": "巧克力", "wine": "葡萄酒", "beer": "啤酒", "market": "市集",
}  # fmt: skip
_BACK = {chinese: english for english, chinese in reversed(GLOSSARY.items())}


def is_chinese(text: str) -> bool:
    """Mostly Chinese: a character says about as much as two letters and a half."""
    return len(_CJK.findall(text)) * 2.5 > len(_LATIN.findall(text))


def language_of(text: str) -> str:
    return "zh" if is_chinese(text) else "en"


def sentences(text: str) -> list[str]:
    return [found.strip() for found in _SENTENCE.findall(text) if re.search(r"\w", found)]


def key_words(text: str, count: int = 6) -> list[str]:
    """The words a text is about, most frequent and earliest first."""
    plain = re.sub(r"https?://\S+", " ", text)
    found = [word for word in _WORD.findall(plain) if word.lower() not in _STOP_WORDS and len(word) > 2]
    for run in _CHINESE_RUN.findall(plain):
        found += [phrase for phrase in _CHINESE_CUTS.split(run) if 2 <= len(phrase) <= 8]
    counts = Counter(word.lower() for word in found)
    first: dict[str, str] = {}
    for word in found:
        first.setdefault(word.lower(), word)
    # The sort is stable, so that the earlier of two stays before the later.
    return [first[word] for word in sorted(first, key=lambda word: -counts[word])[:count]]


def in_language(words: list[str], language: str) -> list[str]:
    """The words that can be said in that language; names and numbers stay as they are."""
    if language == "zh":
        return [GLOSSARY.get(word.lower(), word) for word in words if _can_be_chinese(word)]
    plain = [word for word in words if not _CJK.search(word)]
    known = [english for word in words for chinese, english in _BACK.items() if chinese in word]
    return [*known, *plain]


def _can_be_chinese(word: str) -> bool:
    return bool(_CJK.search(word)) or word.lower() in GLOSSARY or word[:1].isupper() or word[:1].isdigit()


def width(text: str) -> int:
    """Characters as X counts them: a Chinese one takes two."""
    return sum(2 if ord(letter) > 0x10FF else 1 for letter in text)
