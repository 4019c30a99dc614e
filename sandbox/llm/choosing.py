# ruff: noqa: E501 - patterns and lists of words read better unbroken
"""Chooses labels of an enum: intents and feelings by what a message wants, anything else by shared words."""

import re
from typing import Any

from sandbox.llm import words
from sandbox.llm.reading import Reading, read_text

# What a kind of message may be called, the best name first; what follows `other` names is better than nothing.
_NAMES = {
    "praise": "praise positive compliment thanks thank_you",
    "complaint": "complaint negative problem issue",
    "question": "question answer inquiry enquiry request",
    "request": "request answer action question support",
    "opt_out": "opt_out optout unsubscribe stop request complaint negative",
    "data_request": "data_request answer_dsar dsar privacy gdpr request question answer",
    "are_you_a_bot": "are_you_a_bot answer_ai_disclosure ai_disclosure bot_question identity question answer",
    "remember_request": "remember_request memory remember preference request",
    "attack": "attack injection prompt_injection manipulation abuse spam blocked review other",
    "spam": "spam advertising junk other",
    "page": "page summarise summarize summary content other neutral",
    "other": "other neutral none unknown chitchat smalltalk chat",
}
_LAST = "other neutral none unknown chat general"
# More words for labels that name themselves poorly.
_HINTS = {
    "product": r"product|price|ingredient|size|colou?r|stock|feature|cost|产品|价格|多少钱|成分|尺寸|颜色|功能|款",
    "compliance": r"allowed|legal|compl(y|iance)|claim|disclos|advert|permitted|guard|rule|合规|违规|广告法|能不能说|可以说|审核",
    "sentiment": r"mood|feel|sentiment|opinion|reaction|舆情|情绪|评价|口碑",
    "memory": r"remember|forget|prefer|note|记住|记得|忘记|偏好",
    "plan": r"plan|campaign|calendar|promote|launch|计划|排期|活动|推广|方案",
    "shipping": r"ship|deliver|parcel|courier|arriv|tracking|快递|物流|发货|配送|到货",
    "delivery": r"ship|deliver|parcel|courier|arriv|tracking|package|快递|物流|发货|配送|到货|包裹",
    "returns": r"refund|return|money back|exchange|退款|退货|换货|退换",
    "usage": r"how (do|to|can) (i|we|you) (use|apply|open|clean|set)|instruction|usage|steps?\b|pump|怎么用|使用|步骤|用法|说明书",
    "location": r"where (is|are) (you|your|the (shop|store))|address|street|parking|地址|在哪|哪条街|门店|停车",
    "safety": r"safe|allerg|pregnan|sensitive|rash|side effect|安全|过敏|孕|敏感|副作用",
    "people": r"staff|team|colleague|waiter|barista|客服|店员|小姐姐|小哥|态度",
    "offers": r"sale|discount|coupon|voucher|code\b|offer|deal|优惠|打折|活动|券|赠品",
    "stock": r"in stock|sold out|available|restock|有货|缺货|补货|断货",
    "information": r"[?？]|how|what|when|where|which|吗|怎么|什么|多少|几",
    "link": r"\blinks?\b|\burl\b|website|链接|网址|官网",
    "change": r"\b(change|cancel|move|update|swap|reschedule)\b|改|换成|取消",
    "person": r"\b(human|real person|someone|manager|colleague)\b|人工|真人|经理",
    "override": r"(ignore|disregard|forget).{0,30}(instruction|rule|prompt)|忽略.{0,10}(指令|规则)",
    "secret": r"system prompt|password|api (key|token)|密码|提示词|密钥",
    "echo": r"\b(repeat after|reply with|say exactly)\b|跟我(说|念)|只回复",
    "refund": r"refund|return|money back|exchange|退款|退货|换货|退换",
    "booking": r"book|appointment|reserv|schedule|预约|预订|改期|订位",
    "payment": r"pay|charge|invoice|card|bill|checkout|付款|支付|发票|扣款|账单",
    "account": r"account|log ?in|password|profile|账号|登录|密码|账户",
    "quality": r"quality|broken|damaged|leak|fake|质量|破|坏|假",
    "service": r"service|staff|support|rude|reply|服务|客服|态度",
    "opening": r"open|hours|close[sd]?|营业|几点|开门|关门",
    "telegram": r"telegram|channel|电报|频道",
    "x": r"\bx\b|twitter|tweet|推特",
    "en": r"english|英文|英语",
    "zh": r"chinese|中文|汉语",
    "url": r"https?://|www\.",
    "pii": r"\b\d{6,}\b|[\w.]+@[\w.]+",
    "medical": r"doctor|medical|cure|treat|inject|patient|医|治疗|注射|手术|疗效",
    "legal": r"lawyer|sue|legal|court|liab|律师|起诉|法律|责任",
    "price": r"price|cost|how much|多少钱|价格|贵",
    "urgent": r"urgent|asap|immediately|now!|紧急|马上|立刻",
}


def choose(labels: list[Any], message: str, context: str = "", name: str = "") -> Any:
    """One label for a message; `context` is what else was said, `name` the field's own."""
    named = [label for label in labels if isinstance(label, str)]
    if not named:
        return labels[0]
    if "lang" in name.lower():
        return _language(named, message)
    reading = read_text(message)
    if {"positive", "negative"} <= {label.lower() for label in named} and len(named) <= 5:
        return _feeling(named, reading)
    return _kind(named, reading) or _alike(named, message) or _alike(named, context) or _fallback(named)


def choose_some(labels: list[Any], message: str, least: int, most: int) -> list[Any]:
    """The labels that the message is about, at least so many."""
    scores = {label: score(label, message) for label in labels if isinstance(label, str)}
    chosen = [label for label in scores if scores[label]][: max(most, 0)]
    rest = [label for label in labels if label not in chosen]
    return chosen + rest[: max(0, least - len(chosen))]


def _language(labels: list[str], message: str) -> str:
    language = words.language_of(message)
    starts = ("zh", "chinese", "中") if language == "zh" else ("en", "english", "英")
    return next((label for label in labels if label.lower().startswith(starts)), labels[0])


def _feeling(labels: list[str], reading: Reading) -> str:
    by_name = {label.lower(): label for label in labels}
    if reading.polarity > 0.15:
        return by_name["positive"]
    if reading.polarity < -0.15:
        return by_name["negative"]
    return by_name.get("neutral") or by_name.get("mixed") or labels[0]


def _kind(labels: list[str], reading: Reading) -> str | None:
    """The label that names the kind, if the labels are about kinds at all: half of them must be known."""
    by_name = {re.sub(r"[\s-]+", "_", label.lower()): label for label in labels}
    known = {name for names in _NAMES.values() for name in names.split()} - {"x"}
    if 2 * len(known & set(by_name)) < len(labels):
        return None
    return next((by_name[name] for name in _NAMES[reading.kind].split() if name in by_name), None)


def _alike(labels: list[str], text: str) -> str | None:
    best = max(labels, key=lambda label: score(label, text))
    return best if score(best, text) else None


def score(label: str, text: str) -> int:
    """How often a text speaks of what a label names."""
    parts = [part for part in re.split(r"[\s_\-/:.]+", label.lower()) if part]
    found = sum(len(re.findall(pattern, text, re.IGNORECASE)) for part in parts if (pattern := _HINTS.get(part)))
    plain = [part for part in parts if len(part) > 2 or not part.isascii()]
    return found + sum(text.lower().count(part.rstrip("s") if part.isascii() else part) for part in plain)


def _fallback(labels: list[str]) -> str:
    by_name = {label.lower(): label for label in labels}
    return next((by_name[name] for name in _LAST.split() if name in by_name), labels[0])
