"""Other spellings of listed Chinese terms: characters of the same sound, pinyin, parts of a character, digits.

Only listed terms are spelt out, once, so that ordinary text costs nothing; characters that are very common make no
variant, since they would turn up beside the rest of a term by chance.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from compliance.guard.text import fold

# Stand beside anything: as a substitute they would hit ordinary words.
_COMMON = frozenset(
    "的一是了不在有人这中大来上个国我以要他时用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法"
    "所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外"
    "天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军"
    "很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计"
    "别她手角期根论运农指几九区强放决西被干做必战先回则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金增争济"
    "阶油思术极交受联什认六共权收证改清己美再采转更单风切打白教速花带安场身车例真务具万每目至达走积示议声报斗完类八离华"
    "名确才科张信马节话米整空元况今集温传土许步群广石记需段研界拉林律叫且究观越织装影算低持音众书布复容儿须际商非验连断"
    "深难近矿千周委素技备半办青省列习响约支般史感劳便团往酸历市克何除消构府称太准精值号率族维划选标写存候毛亲快效斯院查"
    "江型眼王按格养易置派层片始却专状育厂京识适属圆包火住调满县局照参红细引听该铁价严首底液官德随病苏失尔死讲配女黄推显"
    "谈罪神艺呢席含企望密批营项防举球英氧势告李台落木帮轮破亚师围注远字材排供河态封另施减树溶怎止案言士均武固叶鱼波视仅"
    "费紧爱左章早朝害续轻服试食充兵源判护司足某练差致板田降黑犯负击范继兴似余坚曲输修故城夫够送笔船占右财吃富春职觉汉画"
    "功巴跟虽杂飞检吸助升阳互初创抗考投坏策古径换未跑留钢曾端责站简述钱副尽帝射草冲承独令限阿宣环双请超微让控州良轴找否"
    "纪益依优顶础载倒房突坐粉敌略客袁冷胜绝析块剂测丝协诉念陈仍罗盐友洋错苦夜刑移频逐靠混母短皮终聚汽村云哪既距卫停烈央"
    "察烧迅境若印洲刻括激孔搞甚室待核校散侵吧甲游久菜味旧模湖货损预阻毫普稳乙妈植息扩银语挥酒守拿序纸医缺雨吗针刘啊急唱"
    "误训愿审附获茶鲜粮斤孩脱硫肥善龙演父渐血欢械掌歌沙刚攻谓盾讨晚粒乱燃矛乎杀药宁鲁贵钟煤读班伯香介迫句丰培握兰担弦蛋"
    "为和您录户默启版异返希档替谁店卖买喝啦呀哦嗯爸姐弟哥孙朋午星码楼厅桌椅床衣帽鞋袋瓶盒杯碗饭汤肉奶糖甜咸辣脸脚眉牙舌耳唇背肩腰腿胸挂睡醒跳笑哭恨怕喜慢忙闲累饿渴暖凉"
)
# The words in which a substitute is at home; checked around a candidate.
_PAIRS = (
    "麻醉喝醉陶醉沉醉酒醉醉酒醉心灌醉醉人醉意迷醉心醉宿醉醉鬼嘴巴嘴唇张嘴闭嘴插嘴嘴角嘴甜亲嘴罪恶犯罪"
    "有罪无罪认罪定罪判罪谢罪得罪怪罪受罪罪犯罪名鼎力鼎盛鼎足"
)
_ORDINARY = frozenset(_PAIRS[place : place + 2] for place in range(0, len(_PAIRS), 2))
# Not in standard tables of sounds, or used for nothing but getting round a list.
_ALSO = {
    "最": "蕞醉嘴罪冣朂嘬㝡",
    "级": "伋笈圾",
    "顶": "鼎",
    "第": "苐弟㐧",
    "佳": "嘉珈隹",
    "极": "亟",
    "唯": "惟",
}
_PARTS = {
    "好": ("女子",),
    "级": ("纟及", "糸及"),
    "极": ("木及",),
    "顶": ("丁页",),
    "独": ("犭虫",),
    "佳": ("亻圭", "人圭"),
    "绝": ("纟色",),
    "强": ("弓虽",),
    "治": ("氵台",),
    "疗": ("疒了",),
    "癌": ("疒嵒",),
    "赌": ("贝者",),
    "佛": ("亻弗",),
}
_DIGITS = {"一": ("1",), "二": ("2",), "三": ("3",), "零": ("0",), "百": ("100",)}
_LATIN = {"级": ("j",), "微": ("v",), "第": ("d",)}


@dataclass(frozen=True)
class Sounds:
    """Toneless readings of the characters of GB 2312, the common one first; and the rarer characters of each."""

    readings: dict[str, tuple[str, ...]]
    sharing: dict[str, frozenset[str]]


@lru_cache(maxsize=1)
def _sounds() -> Sounds:
    from pypinyin.pinyin_dict import pinyin_dict

    readings = {}
    sharing: dict[str, set[str]] = {}
    for char in _gb2312():
        marked = pinyin_dict.get(ord(char), "")
        readings[char] = tuple(dict.fromkeys(fold(reading).bare for reading in marked.split(",") if reading))
        if readings[char] and char not in _COMMON:
            # Second readings would pair what nobody pairs.
            sharing.setdefault(readings[char][0], set()).add(char)
    return Sounds(readings, {sound: frozenset(chars) for sound, chars in sharing.items()})


def _gb2312() -> str:
    """Its 6,763 characters stand in rows 16 to 87, 94 to a row."""
    codes = bytes(byte for row in range(0xB0, 0xF8) for cell in range(0xA1, 0xFF) for byte in (row, cell))
    return codes.decode("gb2312", "ignore")


@cache
def _ordinary_words() -> frozenset[str]:
    from pypinyin.phrases_dict import phrases_dict

    return _ORDINARY | frozenset(word for word in phrases_dict if len(word) == 2)


def is_at_home(substitute: str, before: str, after: str) -> bool:
    """Whether a character taken for a sound-alike makes a word with its neighbour outside the term."""
    words = _ordinary_words()
    return before + substitute in words or substitute + after in words


def variants(term: str) -> Iterator[tuple[str, int | None]]:
    """Each other spelling of a folded term, and which character was replaced by another of its sound (else None).

    A space stands where separators may.
    """
    sounds = _sounds()
    if len(term) < 2 or not all(sounds.readings.get(char) for char in term):
        return
    for place, char in enumerate(term):
        before, after = term[:place], term[place + 1 :]
        for other in _same_sound(char, sounds) - {char}:
            yield before + other + after, place
        for sound in sounds.readings[char]:
            yield before + sound + after, None
        for other in (*_PARTS.get(char, ()), *_LATIN.get(char, ()), *_DIGITS.get(char, ())):
            yield before + other + after, None
    in_digits = "".join(_DIGITS.get(char, (char,))[0] for char in term)
    if sum(char in _DIGITS for char in term) > 1:
        yield in_digits, None
    spelt = " ".join(sounds.readings[char][0] for char in term)
    if len(spelt) > 5:
        yield spelt, None


def _same_sound(char: str, sounds: Sounds) -> frozenset[str]:
    others = frozenset(_ALSO.get(char, ""))
    # Digits keep too little beside them: 兄弟一起 holds 弟一.
    return others if char in _DIGITS else others | sounds.sharing.get(sounds.readings[char][0], frozenset())
