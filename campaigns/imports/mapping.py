"""Which column of a file means what: guessed from its names in English, German and Chinese."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError


@dataclass(frozen=True)
class Field:
    label: str
    hint: str
    # How files call it, separated by commas.
    names: str


FIELDS: dict[str, Field] = {
    "external_id": Field(
        "Id",
        "The same id again changes the post instead of making another.",
        "external id, id, ref, reference, key, kennung, referenz, nummer, nr, 编号, 外部编号, 标识",
    ),
    "channel": Field(
        "Account",
        "A handle such as x:@name or @name; several with a semicolon between them.",
        "channel, channels, account, accounts, handle, connection, profile, platform, network, kanal, "
        "kanäle, konto, konten, profil, netzwerk, 渠道, 账号, 帐号, 平台, 频道",
    ),
    "text": Field(
        "Text",
        "A line with --- alone begins the next part of a thread.",
        "text, post, content, message, copy, body, caption, tweet, beitrag, inhalt, nachricht, "
        "beitragstext, 文本, 内容, 正文, 文案, 帖子",
    ),
    "media": Field(
        "Media",
        "Names of files in the library, several with a semicolon between them.",
        "media, image, images, picture, file, files, media file, attachment, photo, video, medien, bild, "
        "bilder, datei, dateien, anhang, foto, 媒体, 图片, 文件, 附件, 视频, 图",
    ),
    "alt_text": Field(
        "Alt text",
        "For each file, in the same order, with | between them.",
        "alt text, alt, alttext, image description, alternativtext, bildbeschreibung, 替代文本, 图片说明",
    ),
    "date": Field(
        "Date",
        "Where date and time stand apart.",
        "date, day, datum, tag, 日期, 发布日期",
    ),
    "time": Field(
        "Time",
        "Or date and time in one: 2026-12-01 09:00.",
        "time, datetime, date time, scheduled at, scheduled, schedule, scheduled time, publish at, when, "
        "publish time, zeit, uhrzeit, zeitpunkt, termin, datum uhrzeit, veröffentlichung, geplant, 时间, "
        "发布时间, 计划时间, 定时",
    ),
    "zone": Field(
        "Time zone",
        "Such as Europe/Berlin. Otherwise the one chosen here.",
        "timezone, time zone, zone, tz, zeitzone, 时区",
    ),
    "title": Field(
        "Title",
        "For the lists; nobody else sees it.",
        "title, name, headline, titel, 标题, 名称",
    ),
    "campaign": Field(
        "Campaign",
        "Made where there is none of this name.",
        "campaign, kampagne, 活动, 营销活动",
    ),
    "tags": Field(
        "Tags",
        "With commas between them.",
        "tags, tag list, labels, hashtags, keywords, schlagwörter, schlagworte, 标签",
    ),
    "language": Field(
        "Language",
        "A code such as de.",
        "language, lang, locale, sprache, 语言",
    ),
    "relationship": Field(
        "Tie to the brand",
        "own brand, paid, gift, affiliate or employee.",
        "relationship, tie, beziehung, 关系, 合作关系",
    ),
    "made_with_ai": Field(
        "Made with AI",
        "Yes or no.",
        "made with ai, ai, ai generated, is ai, ki, mit ki, ki generiert, ai生成, 人工智能",
    ),
}


def guess_mapping(columns: Sequence[str]) -> dict[str, str]:
    """Field to column; each column once, the plainest name first."""
    by_name = {normal(column): column for column in reversed(columns)}
    found: dict[str, str] = {}
    for name, field in FIELDS.items():
        column = next(
            (by_name[normal(word)] for word in (name, *field.names.split(", ")) if normal(word) in by_name), None
        )
        if column is not None and column not in found.values():
            found[name] = column
    return found


def clean_mapping(given: Mapping[str, str], columns: Sequence[str]) -> dict[str, str]:
    """Raises ValidationError beside the field that is wrong."""
    mapping = {name: column for name, column in given.items() if column}
    for name, column in mapping.items():
        if name not in FIELDS:
            raise ValidationError(f"There is no field {name[:40]}.")
        if column not in columns:
            raise ValidationError({name: f"The file has no column “{column[:100]}”."})
    if twice := [name for name, column in mapping.items() if list(mapping.values()).count(column) > 1]:
        raise ValidationError({twice[-1]: f"“{mapping[twice[-1]]}” is chosen twice."})
    if "text" not in mapping and "media" not in mapping:
        raise ValidationError({"text": "Choose the column with the texts."})
    return mapping


def normal(name: str) -> str:
    """Without case, marks and full-width forms, so that "External_ID" is "external id"."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\W_]+", " ", folded).strip()
