"""What the demo workspace says: a coffee roaster's spring, in English and Chinese."""

from dataclasses import dataclass
from typing import Any

DEMO_EMAIL = "demo@example.com"
DEMO_PASSWORD = "demo-roastery"  # noqa: S105 printed on the console, on purpose
NAME = "Spring launch"
GOAL = "Sell 400 bags of the spring roast before the end of the season"
BRIEF = """\
A light roast from Yirgacheffe, Ethiopia: jasmine, bergamot, a long honey finish. 250 g for €14, from today.

Who reads this: people who brew at home and care where their coffee comes from. \
Our followers in Shanghai read the Chinese posts.

Voice: warm, exact, never shouting. Say how it tastes and how to brew it. No superlatives, no health claims. \
中文内容请自然、简洁，不用“最”字和夸张用语。"""
FOLDER = "spring-launch"
FLAWED = "Spring offer, first try"


@dataclass(frozen=True)
class Picture:
    """A gradient from one colour to another, with a word and a line on it."""

    word: str
    line: str
    top: str
    bottom: str
    alt: str


JASMINE = Picture(
    "Jasmine", "spring roast · Yirgacheffe", "#f6d9a8", "#b3477a", "Sunrise colours with the word Jasmine"
)
BREW = Picture("1 : 16", "fifteen grams, 240 ml, 92 °C", "#bfe3df", "#1f5f73", "Teal gradient with the ratio 1 to 16")
EVENING = Picture(
    "Open late", "Friday tasting, 19:00", "#f2a66b", "#43204f", "Evening colours with the words Open late"
)


@dataclass(frozen=True)
class Draft:
    """A title, the texts of its parts, and a picture on the first."""

    title: str
    parts: tuple[str, ...]
    picture: Picture | None = None
    made_with_ai: bool = False


DRAFTS = (
    Draft(
        "Our spring roast is here",
        (
            "Our spring roast is here. Jasmine, bergamot, a long honey finish.\n\n"
            "Fresh bags from this morning. ☕️ #SpringRoast",
        ),
        JASMINE,
    ),
    Draft(
        "春季新品上市",
        ("春季新品上市：埃塞俄比亚耶加雪菲，茉莉花香与佛手柑的平衡，回甘如蜜。今天早上新鲜烘焙。☕️ #春季新品",),
        JASMINE,
    ),
    Draft(
        "How to brew it, in three steps",
        (
            "How we brew the spring roast at home. A short thread. 🧵",
            "Fifteen grams, ground like coarse sand. 240 ml of water at 92 °C.",
            "Pour 40 ml, wait half a minute, then pour slowly in circles. Done at 2:45. Tell us how yours tastes.",
        ),
        BREW,
    ),
    Draft(
        "手冲比例 1:16",
        ("手冲比例 1:16，水温 92°C，研磨如粗砂糖。先闷蒸三十秒，再缓缓绕圈注水，两分四十五秒完成。",),
        BREW,
    ),
    Draft(
        "Friday tasting",
        (
            "We stay open on Friday until ten. Three roasts, one table, "
            "no talk about tasting notes unless you start it.",
        ),
        EVENING,
    ),
    Draft(
        "Meet Almaz, who grew these beans",
        (
            "Almaz Bekele grows these beans at 2,100 m. She picks in four rounds, only what is red. "
            "We have bought from her since 2019, and pay her before the harvest.",
        ),
    ),
    Draft(
        "Question of the week",
        ("What do you brew with on weekday mornings? We will try the three most unusual answers at the shop.",),
        made_with_ai=True,
    ),
    # What the rules and the list below object to, with something to mend in each language.
    Draft(
        FLAWED,
        (
            "Cheap and good: an organic roast that wakes you up in five minutes.\n\n"
            "全网最好喝的春季新品，第一口就爱上。",
        ),
    ),
)

MARKETS = ("US", "EU", "CN")
INDUSTRY = "food"


@dataclass(frozen=True)
class Word:
    """An entry of the workspace's own list."""

    term: str
    kind: str
    reason: str
    replacement: str = ""


WORDS = (
    Word("cheap", "block", "Our prices are fair to the farm, not low.", "fairly priced"),
    Word("咖啡神器", "block", "夸张用语，换成平实的说法。", "咖啡器具"),
    Word("organic", "review", "Only the Yirgacheffe is certified. Is it about that one?"),
    Word("Morning No. 1", "allow", "The name of a blend, no claim to be first."),
)


@dataclass(frozen=True)
class Person:
    """Somebody who agreed to the newsletter, and perhaps thought better of it."""

    name: str
    email: str
    language: str
    country: str
    has_withdrawn: bool = False


PURPOSE = "newsletter"
NOTICES = {
    "en": "Demo Roastery writes to you once a month about new roasts and tastings. We keep your name and address "
    "until you tell us to stop, which you can at any time by the link in each mail.",
    "zh": "Demo Roastery 每月给您写一封信，介绍新豆与品鉴活动。您的姓名和邮箱仅用于此，您可随时点击信中的链接退订。",
}
PEOPLE = (
    Person("Lena Voss", "lena@example.net", "en", "DE"),
    Person("陈丽", "chen.li@example.net", "zh", "CN", has_withdrawn=True),
)


@dataclass(frozen=True)
class FolderFile:
    """A picture of the demo folder and what the JSON beside it says; days_ahead plans it, None leaves it open."""

    stem: str
    picture: Picture
    meta: dict[str, Any] | None
    days_ahead: int | None = None


FOLDER_FILES = (
    FolderFile(
        "01-first-bags",
        Picture("First bags", "roasted this morning", "#fbe2c0", "#a23e5c", "Peach gradient with the words First bags"),
        {
            "title": "The first bags are out",
            "description": "Forty bags of the spring roast stand on the shelf, still warm.",
            "tags": ["SpringRoast"],
        },
        1,
    ),
    FolderFile(
        "02-slow-morning",
        Picture("慢早晨", "", "#d7e6c5", "#3f6b4f", "清晨般的绿色渐变"),
        {
            "title": "慢一点的早晨",
            "description": "周末不赶时间：一杯手冲，一扇朝南的窗。",
            "tags": ["周末咖啡"],
            "language": "zh",
        },
        2,
    ),
    FolderFile(
        "03-cupping",
        Picture("Cupping", "every roast, every batch", "#cfd8f3", "#3a3f86", "Blue gradient with the word Cupping"),
        {
            "title": "What cupping is",
            "description": "Every batch is tasted blind before it leaves the house. This is how.",
            "thread": [
                "Five cups of each batch, one spoon, no names on the table.",
                "If one of the five is off, none is sold.",
            ],
        },
        4,
    ),
    FolderFile(
        "04-iced",
        Picture(
            "Over ice", "for the first warm day", "#c8eef2", "#2c6f9e", "Cold blue gradient with the words Over ice"
        ),
        {
            "title": "For the first warm day",
            "description": "Brew it double, pour it over ice, add nothing.",
            "tags": ["IcedCoffee"],
        },
    ),
    # Without a JSON beside it: the scan lists it with the reason.
    FolderFile("05-teaser", Picture("Soon", "", "#ead7f5", "#5a2d78", ""), None),
)


# Kind, name and text of what the composer inserts.
SNIPPETS = (
    ("template", "A roast in three lines", "Today on the shelf: …\n\nTastes of …\nBrew it …"),
    ("hashtags", "Spring", "#SpringRoast #春季新品"),
    ("signature", "Where we are", "Mühlenstraße 4, daily from eight. https://roastery.example"),
    ("reply", "Thanks, and the grind", "Thank you! For a V60 we grind like coarse sand: 15 g to 240 ml at 92 °C."),
)

# What the assistant knows of the brand, by the labels of its texts.
BRAND = {
    "voice": "Warm and exact, never shouting. Say how it tastes and how to brew it. No superlatives, no health claims.",
    "audience": "People who brew at home and care where their coffee comes from. "
    "In Shanghai they read the Chinese posts.",
    "products": "Spring roast, 250 g for €14: a light Yirgacheffe with jasmine, bergamot and a long honey finish.\n"
    "Morning No. 1, 250 g for €12: our house blend, chocolate and nuts.",
    "words_use": "fresh from this morning, roasted by hand, 手冲, 回甘",
    "words_avoid": "cheap, best, 最, 神器",
    "languages": "English on X, Chinese for the readers in Shanghai.",
}


@dataclass(frozen=True)
class Claim:
    """What may be said of a product, and who vouches for it."""

    text: str
    source: str
    language: str


CLAIMS = (
    Claim("Our Yirgacheffe is certified organic.", "Certificate DE-ÖKO-006, https://roastery.example/organic", "en"),
    Claim("我们从2019年起直接向Almaz Bekele购买咖啡豆。", "采购合同，https://roastery.example/almaz", "zh"),
)
