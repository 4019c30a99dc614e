# ruff: noqa: E501 - patterns read better unbroken
"""What strangers may have remembered: facts about themselves, in our words from a closed list, and nothing else.

No word of the message is kept. A message counts only where all of it is such a fact, said politely.
"""

import re
from functools import cache

from agents.safety.normalise import Heard

# What is kept, and how people say it: English, Chinese.
SUBSTANCES = {
    "fragrance": ("fragrances?|perfumes?|scents?", "香精|香料|香水"),
    "nuts": ("nuts?|tree nuts", "坚果"),
    "peanuts": ("peanuts?", "花生"),
    "milk": ("milk|dairy(?: products)?|lactose", "牛奶|乳制品|奶制品|乳糖|奶"),
    "gluten": ("gluten|wheat", "麸质|小麦|面筋"),
    "egg": ("eggs?", "鸡蛋|蛋"),
    "soy": ("soya?|soybeans?", "大豆|黄豆"),
    "fish": ("fish", "鱼"),
    "shellfish": ("shellfish|shrimps?|prawns?|seafood", "海鲜|虾|贝类|蟹"),
    "alcohol": ("alcohol", "酒精|酒"),
    "latex": ("latex", "乳胶"),
    "nickel": ("nickel", "镍"),
    "pollen": ("pollen", "花粉"),
    "parabens": ("parabens?", "尼泊金|防腐剂"),
    "retinol": ("retinol|retinoids?", "视黄醇|a醇"),
    "caffeine": ("caffeine|coffee", "咖啡因|咖啡"),
    "meat": ("meat", "肉"),
    "pork": ("pork", "猪肉"),
    "sesame": ("sesame", "芝麻"),
    "spicy food": ("spicy food|chill?i(?:es)?", "辣"),
}
SKINS = {
    "sensitive": ("sensitive", "敏感"),
    "dry": ("dry", "干"),
    "oily": ("oily|greasy", "油|油性"),
    "combination": ("combination", "混合|混油|混干"),
    "acne-prone": ("acne[- ]prone", "痘痘|痘"),
    "normal": ("normal", "中性"),
}
DIETS = {
    "vegan": ("vegan", "纯素|全素"),
    "vegetarian": ("(?:a )?vegetarian", "素食者?|吃素的?"),
    "halal": ("halal", "清真"),
    "kosher": ("kosher", "犹太洁食"),
    "pregnant": ("pregnant", "孕妇|怀孕"),
    "left-handed": ("left[- ]handed", "左撇子"),
}
_HELLO = (
    r"(?:(?:hi|hello|hey|ok|okay|great|thanks|dear team|你好|您好|嗨|哈喽|亲)(?: there| team|呀|啊)?[\s,.!，。！]*)?"
)
_ASK_EN = (
    r"(?:(?:please|pls|kindly|can you|could you|just so you(?: know)?|for (?:the|your|future) (?:records?|reference)|"
    r"for next time|next time|note for next time|fyi|and|also|do)[\s,:]*)*"
    r"(?:(?:to )?(?:remember|know|keep in mind|bear in mind|note(?: down)?|make a note|take note|don'?t forget)"
    r"(?: for next time)?[\s,:]*(?:that[\s,]*)?)?"
)
_ASK_ZH = r"(?:请|麻烦|帮我|帮忙|以后|下次|给我|推荐|推荐的时候|的时候|时|一下|要|你们?|,|，|\s)*(?:记住|记得|记一下|记下|记着|备注一下|备注|别忘了?|留意|登记一下)?(?:一下)?[\s,:，：]*"
_AND_EN, _AND_ZH = r"\s*(?:,? and |, ?|&)\s*", r"[,，、\s]*(?:而且|并且|也|还|和)?"
LONGEST = 200
_BYE = r"[\s,.!，。！~]*(?:(?:please|thanks?(?: you| a lot| so much)?|thx|cheers|ok|谢谢|多谢|感谢|拜托|啦|哦|哈|呀|请记住|记一下|remember that|keep that in mind)[\s,.!，。！~]*)*"


def facts_about_self(heard: Heard) -> list[str]:
    """As we write them down: “Allergic to fragrance”. Empty for anything else."""
    text = heard.folded.strip()
    if heard.hidden or len(text) > LONGEST:
        return []
    for form, fact in _forms():
        if said := form.fullmatch(text):
            return list(dict.fromkeys(_written(match) for match in fact.finditer(said["facts"])))
    return []


@cache
def _forms() -> tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]:
    """Of each language: a whole message, and one fact in it."""
    found = []
    for ask, fact, joined in ((_ASK_EN, _facts_en(), _AND_EN), (_ASK_ZH, _facts_zh(), _AND_ZH)):
        one = f"(?:{re.sub(r'[?]P<[a-z0-9]+>', '?:', fact)})"
        whole = f"{_HELLO}{ask}(?P<facts>{one}(?:{joined}{one}){{0,2}}){_BYE}"
        found.append((re.compile(whole), re.compile(fact)))
    return tuple(found)


def _facts_en() -> str:
    substance = _any(SUBSTANCES, 0)
    return (
        rf"i(?:'?m| am) (?:very |highly |quite |severely )?(?:allergic to|intolerant (?:to|of)|intolerant) (?P<allergy>{substance})"
        rf"|i (?:can'?t|cannot|don'?t|do not|must not|never) (?:eat|have|use|tolerate|drink|take|stand) (?:any )?(?P<avoid>{substance})"
        rf"|i have (?:an? )?(?P<allergy2>{substance}) allerg(?:y|ies)"
        rf"|(?:i have (?:got )?(?:very |really |quite |super )?(?P<skin>{_any(SKINS, 0)}) skin|my skin is (?:very |really |quite |super )?(?P<skin2>{_any(SKINS, 0)}))"
        rf"|i(?:'?m| am) (?P<diet>{_any(DIETS, 0)})"
    )


def _facts_zh() -> str:
    substance = _any(SUBSTANCES, 1)
    return (
        rf"我?对(?P<allergy>{substance})(?:严重)?过敏|我?(?:不吃|不能吃|不喝|不能喝|不能用|吃不了|不用)(?P<avoid>{substance})"
        rf"|我?(?:是|属于|的皮肤是|皮肤|的皮肤)?(?:很|比较|偏|特别|有点)?(?P<skin>{_any(SKINS, 1)})(?:性)?(?:皮肤|肌肤|肌|皮|性|的)"
        rf"|我?是(?P<diet>{_any(DIETS, 1)})"
    )


def _any(words: dict[str, tuple[str, str]], language: int) -> str:
    return "|".join(
        sorted((form for forms in words.values() for form in forms[language].split("|")), key=len, reverse=True)
    )


def _written(match: re.Match[str]) -> str:
    found = {name.rstrip("2"): value for name, value in match.groupdict().items() if value}
    for kind, words, template in (
        ("allergy", SUBSTANCES, "Allergic to {}"),
        ("avoid", SUBSTANCES, "Avoids {}"),
        ("skin", SKINS, "Has {} skin"),
        ("diet", DIETS, "Is {}"),
    ):
        if kind in found:
            return template.format(_named(words, found[kind]))
    raise AssertionError(match[0])


def _named(words: dict[str, tuple[str, str]], said: str) -> str:
    return next(name for name, forms in words.items() if any(re.fullmatch(form, said) for form in forms))
