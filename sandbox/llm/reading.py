# ruff: noqa: E501 - patterns and lists of words read better unbroken
"""What a message from outside wants and how it feels, by the words in it. English and Chinese."""

import re
from dataclasses import dataclass, field
from functools import cache

# Wishes that decide for themselves, strongest first.
_WISHES = {
    "are_you_a_bot": (
        r"\b(are|r) (you|u)\b.{0,12}\b(bot|robot|human|person|ai|machine|automated|chat ?gpt|real)\b",
        r"\bam i (really )?(talking|speaking|chatting|writing)\b.{0,20}\b(bot|human|person|machine|ai|robot|real)\b",
        r"\bis (this|that|there|it)\b.{0,16}\b(bot|human|real person|robot|automated|ai|machine)\b",
        r"\b(bot|human|robot|ai|machine|person) or (a )?(human|person|bot|real|robot|machine|ai)\b",
        r"\bwho (writes|wrote|answers|is answering|am i talking)\b.{0,40}\b(machine|bot|human|person|ai)\b",
        r"\b(real|actual) (human|person)\b.{0,20}\b(here|there|behind|reading|answering)\b|\bhuman behind\b",
        r"(你|你们|您|客服|对面|这边|这).{0,6}(是|是不是|不会是|该不会).{0,6}(机器人|真人|人工|人工智能|自动回复|机器|AI)",
        r"(机器人|真人|人工|AI).{0,3}(吗|还是|么)|自动回复.{0,2}(吧|吗|么|？)|有没有真人|有真人",
        r"(跟我|和我|对我)(说话|聊天|对话)的.{0,3}(是|是不是).{0,3}(人|机器)",
    ),
    "opt_out": (
        r"\b(stop|quit|cease|no more|don'?t|do not|never)\b.{0,24}\b(messag|contact|text|e-?mail|mail|send|writ|dm|"
        r"spam|call|notif)\w*",
        r"\bunsubscribe\b|\bopt(ing)?[ -]?out\b|\btake me off\b|\bremove me from\b|\bleave me alone\b|\bno more (ads|mails)",
        r"(别|不要|停止|勿|不想|拒绝|请勿).{0,5}(发|联系|打扰|骚扰|推送|私信|收到|打电话|群发)",
        r"^\W*(stop|quit|end|cancel|td|t|r)\W*$|\bno longer (wish|want)\b.{0,20}\b(receiv|get|hear)\w*",
        r"\b(no more|enough) (of )?(your |these )?(promo|ad|offer|message|mail|text|dm|newsletter|email)\w*",
        r"\b(don'?t|do not) want\b.{0,20}\b(messages|mails?|emails?|texts|promotions?|newsletters?|offers)\b",
        r"退订|取消订阅|拉黑你|不接受推广|取消.{0,6}推送|取消关注|别再|不要再(给我)?(发|打|联系|推)|不想再?收",
    ),
    "data_request": (
        r"\b(export|delete|erase|download|copy of|remove|access|correct|see|wipe|get rid of|hand over|send me)\b.{0,24}"
        r"\b(my|all my)\b.{0,16}\b(data|account|information|info|records?|details)\b",
        r"\bmy (own |personal )?(data|account)\b.{0,20}\b(deleted|erased|removed|exported|gone)\b",
        r"\b(data|information|info|details|everything|records?)\b.{0,20}\b(you )?(have|hold|store|keep|know|collect|got)\w*"
        r"\b.{0,16}\b(on|about|of) me\b",
        r"\b(close|terminate|cancel|delete)\b.{0,10}\bmy (account|profile)\b|\bforget me\b|\bmy personal data\b",
        r"\b(gdpr|ccpa|dsar|right to be forgotten|subject access)\b",
        r"\bwhat (data|information|info)\b.{0,20}\b(have|hold|store|keep|stored|kept)\b.{0,16}\b(me|my)\b",
        r"(删除|导出|注销|下载|清除|清空|查看|更正|抹掉|带走|拿回).{0,8}(我的)?.{0,4}(数据|账号|账户|帐号|个人信息|资料|个人数据)",
        r"(数据|账号|账户|帐号|个人信息|资料).{0,8}(删除|删了|删掉|导出|注销|下载|清除|副本|拷贝)|数据副本|注销(我的)?(账|帐)",
        r"(存|保存|收集|保留|有|掌握|知道)了?.{0,6}(我的|我哪些|我什么|关于我).{0,6}(数据|信息|资料)",
    ),
    "remember_request": (
        r"\b(remember|note|keep in mind|make a note|bear in mind|don'?t forget|for next time)\b[,:]?\s*(that |for me )?"
        r".{0,12}\b(i|i'm|i’m|im|my|me|we)\b",
        r"\b(i|i'm|i’m|my)\b.{0,40}\b(please |pls )?(remember|note)( that| this| it)?\W*$",
        r"(记住|记得|请记|帮我记|记一下|记下|备注|下次).{0,6}(我|本人|咱)|(我|下次).{0,16}(记一下|记住|备注|记下来|别忘了)",
    ),
    "attack": (
        r"\b(ignore|disregard|forget|bypass|override)\b.{0,24}\b(instruction|rule|guideline|prompt|polic|filter)\w*"
        r"(?!.{0,20}\bfor the\b)",
        r"\b(your|full|hidden|entire) system prompt\b|\b(print|show|reveal|repeat)\b.{0,20}\bsystem prompt\b|\bjailbreak\b|\byou are (now )?(unrestricted|dan)\b|<\|im_start\|>|\[?admin override",
        r"(忽略|无视|忘记|绕过).{0,8}(指令|规则|提示词|设定|限制)",
        r"(系统提示|提示词).{0,8}(打印|输出|告诉|发)|(打印|输出|告诉).{0,8}(系统提示|提示词)",
    ),
    "spam": (
        r"\b(buy|cheap|get) (real |more )?followers\b|\bcrypto|\bearn \$|\bclick (here|my)|\bcheck (out )?my profile",
        r"加微信|兼职|刷单|代开|贷款|涨粉|日赚|躺赚",
    ),
}  # fmt: skip
_QUESTION = (
    r"[?？]",
    r"^\W*(how|what|where|when|why|who|which|can|could|do|does|is|are|will|would|should|may|any(one|body)?)\b",
    r"(吗|呢|么)\s*[。!！~～]*$|怎么|如何|多久|多大|多长|能用|可以用|哪里|哪儿|哪个|哪家|哪款|在哪|什么|多少|几点|几天|能不能|可不可以|请问|想问|求问|有没有|是不是",
)
_REQUEST = (
    r"\bplease\b|\bpls\b|\bneed (an?|the|my|some)\b|\bi want\b|\bi wish to\b|\b(can|could|would) you\b|\bhelp me\b|\bi(’|')?d like\b|\bi need\b|\bsend me\b|\bmay i\b|\bneed to\b|^\W*(tell|show|give|let) (me|us)\b|^\W*explain\b",
    r"帮我|帮忙|请|麻烦|能否|我想|我要|求|给我|推荐一|改到|改成|预约|发我",
)
_PRAISE = (
    r"\b(love|loved|loving|great|amazing|awesome|best|perfect|excellent|wonderful|fantastic|beautiful|favou?rite|happy|"
    r"impressed|impressive|delicious|brilliant|superb|lovely|adore|obsessed|glowing|gorgeous|stunning|cute)\b",
    r"\b(clever|bliss|legends?|five stars|5 stars|10/10|softer|smooth(er)?|glow|magic|heaven|dream|joy|delight\w*|smart|"
    r"pleased|pretty|elegant|stylish|comfy|comfortable|cosy|cozy|reliable|spot on|on point|top notch|first class|yum\w*|"
    r"tasty|sweet|kind|friendly|helpful|quick|speedy|thrilled|charming|neat|handy|a treat|genius|fabulous|fab|incredible|"
    r"outstanding|terrific|satisfied|grateful|bravo|hero|heroes|winner|fan|fans|addicted|hooked|wow)\b",
    r"\bnever (felt|looked|been|had|slept) (so |this |such )?\w*(er|good|well|better|nice)?\b|\bmade my (day|week)\b",
    r"\bthank(s| you|ful)?\b|\bthx\b|\bcheers\b|\bwell done\b|\bgood (job|work)\b|\bkudos\b|\bcongrat",
    r"\brecommend(ed)?\b|\bworth (it|every)\b|\bworks? (great|well|wonders)\b|\b(so )?much (faster|better|easier|nicer)\b",
    r"\brules[!.\s]*$|\brock(s|ed)?\b(?! (salt|music|bottom))|\breset for my\b|\bgame[ -]?changer\b|\bcan(’|')?t wait\b|\bgood (product|stuff)\b",
    r"\b(repeat|second|third) (purchase|order)\b|\bbuy(ing)? (it )?again\b|\bnever go(ing)? back\b|\bfaster than\b",
    r"喜欢|好用|好吃|好喝|好看|很棒|太棒|真棒|棒|点赞|好评|谢谢|感谢|多谢|辛苦了|惊喜|有趣|公平|爱了|绝了|回购|满意|不错|值得|"
    r"种草|惊艳|舒服|良心|贴心|优秀|厉害|开心|超赞|真香|[只都]?[用买]你家|真不错|好棒|铁粉|支持|加油|有效|效果好|很快|神器|回头客|完美|给力|被圈粉|精致|温柔|用心|赞|王道|绝绝子|拯救|第[二三四五]瓶|"
    r"[二三四五]刷|高级|漂亮|好看|美哭|香香|细腻|清爽|滋润|省心|放心|专业|周到|耐心|热情|划算|超值|太好|真好|很好|好喜|宝藏|封神|"
    r"yyds|无敌|牛|心动|爱惨|爱不释手|念念不忘|治愈|太会了|信赖|安利|会再来|还会买|囤|空瓶|好香|好温柔|很温柔|惊喜",
    "[\U0001f60d\U0001f970\U0001f44d\U0001f44f❤\U0001f389\U0001f525]",
)
_COMPLAINT = (
    r"\b(late|broken|damaged|slow|worst|terrible|awful|horrible|bad|poor|rude|wrong|missing|useless|disappoint\w*|"
    r"unacceptable|ridiculous|annoying|annoyed|angry|upset|hate|hated|fake|scam|rip-?off|expired|leak(ed|ing|s)?|"
    r"unhappy|frustrat\w*|disgusting|pathetic|waste|overcharged|delayed|fail(ed|s)?|crash(es|ed|ing)?|faulty|defective)\b",
    r"\b(never|not|hasn'?t|didn'?t|still (no|not|haven'?t)|yet to)\b.{0,16}\b(arriv|work|receiv|deliver|answer|respond|"
    r"repl|ship|com)\w*",
    r"\b(refund|money back|complain\w*|ruined|rash|ignored|charged|payment)\b.{0,24}\b(twice|double|again|wrong|help|now|"
    r"me|my)\b",
    r"\bstill (waiting|missing|no|not|broken|haven'?t)\b|\b(charged|billed|debited) (twice|double|again)\b|\bdouble charge"
    r"|\b(twice|double)\b.{0,10}\b(charged|billed|payment)\b|\bkeeps? (\w+ing)\b|\bagain and again\b|\bstuck\b",
    r"\b(rash|itch\w*|burn(s|ed|ing|t)?|allergic reaction|hurts?|painful|sticky|smelly|stinks?|stains?|ruined|cracked|"
    r"spilled|empty box|rejected|rejecting|error|bug|glitch\w*|lost|stolen|cheat\w*|liars?|lied|misleading|cold food|"
    r"overpriced|shame|worse|mess|messy|nightmare|unfair|dirty|noisy|boring|refuse[sd]?|ghosted|dropped|fault|problem|confusing|complicated|"
    r"doesn'?t (apply|fit|help|load|open|turn)|didn'?t (help|fit|apply)|can'?t (log|open|use|pay|reach))\b",
    r"\bnobody\b|\bno (reply|answer|response|refund|one)\b|\bcancel(l?ed)? (my|without)\b|\blogged me out\b",
    r"\btoo (many|much|slow|expensive|long|late|loud)\b|\b(delete|remove|stop)\b.{0,12}\bads?\b|\bno (one|body) (answers|"
    r"replies|cares)\b|\b(broke|fell apart|stopped working|doesn'?t work|does not work|won'?t (open|work|load))\b",
    r"太慢|很慢|好慢|太差|很差|差评|太烂|坏了|退款|退货|投诉|失望|垃圾|骗|过期|破损|漏发|少发|发错|没收到|还没|迟迟|不理|"
    r"没人回|没人理|生气|难用|难吃|太多了|删掉广告|(?<!麻)烦|过敏了|漏液|假货|态度差|无语|后悔|踩雷|不好用|没效果|没用|太贵|太复杂|太难|被扣|重复扣|扣了两次|"
    r"等了.{0,4}(天|周|小时)|不负责|气死|闪退|打不开|少了|压扁|碎了|破了|裂了|"
    r"不发货|不回|不退|不处理|一直没|掉色|起球|褪色|降价|买贵|一般|起皮|起痘|红肿|刺痛|瘙痒|烂脸|馊|臭|难闻|油腻|脏|吵|乱|卡顿|卡死|"
    r"崩溃|报错|失败|扣费|乱扣|推诿|敷衍|冷漠|凶|差劲|太烂|不新鲜|不干净|不准|不对|不符|不一样|不值|不理想|上当|坑|缺货|迟到|延误|"
    r"丢件|丢了|破洞|没反应|没人接|没人管|态度",
)
_NOT_PRAISE = r"(not|n't|never|no)\s+(\w+\s+){0,2}(great|good|happy|impressed|worth|recommend|perfect|best|love)|不(太)?(喜欢|好用|满意|推荐|值得|公平|舒服|专业|好看|好吃|新鲜)|没有?(效果|惊喜|用心)"
_HOW = r"怎么(办)?|如何|\bhow (do|can|to|should)\b"
_MARKUP = re.compile(r"<(p|div|!--|html|body|h\d|ul|table|article|span|section)\b", re.IGNORECASE)


_MOST_READ = 10_000


@dataclass(frozen=True)
class Reading:
    """`kind` is one of the wishes above, or question, request, complaint, praise, page or other."""

    kind: str
    # -1 to 1
    polarity: float
    kinds: frozenset[str] = field(default_factory=frozenset)


@cache
def _compiled(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.IGNORECASE | re.MULTILINE) for pattern in patterns)


def _hits(patterns: tuple[str, ...], text: str) -> int:
    return sum(len(pattern.findall(text)) for pattern in _compiled(patterns))


def read_text(text: str) -> Reading:
    text = text[:_MOST_READ]
    wishes = [kind for kind, patterns in _WISHES.items() if _hits(patterns, text)]
    denied = _hits((_NOT_PRAISE,), text)
    praise, complaint = max(0, _hits(_PRAISE, text) - denied), _hits(_COMPLAINT, text) + denied
    asks, requests = _hits(_QUESTION, text), _hits(_REQUEST, text)
    felt = (praise - complaint) / (praise + complaint) if praise + complaint else 0.0
    kinds = {*wishes}
    kinds |= {
        kind
        for kind, is_there in (
            ("praise", praise),
            ("complaint", complaint),
            ("question", asks),
            ("request", requests),
        )
        if is_there
    }
    if wishes:
        return Reading(wishes[0], felt * 0.8, frozenset(kinds))
    if _MARKUP.search(text):
        return Reading("page", 0.0, frozenset({*kinds, "page"}))
    if praise == complaint and praise:
        # What is said last is what is meant.
        last = _last_clause(text)
        praise, complaint = praise + _hits(_PRAISE, last), complaint + _hits(_COMPLAINT, last)
    kind = _feeling_or_wish(praise, complaint, asks, requests, wants_to_know_how=_hits((_HOW,), text) > 0)
    return Reading(
        kind, round(felt * 0.8, 2) if kind in ("praise", "complaint") else round(felt * 0.3, 2), frozenset(kinds)
    )


def _feeling_or_wish(praise: int, complaint: int, asks: int, requests: int, *, wants_to_know_how: bool) -> str:
    if complaint > praise and (complaint > 1 or not asks) and not (wants_to_know_how and complaint < 3):
        return "complaint"
    if asks:
        return "question"
    if praise > complaint:
        return "praise"
    return "request" if requests else "other"


def _last_clause(text: str) -> str:
    return [clause for clause in re.split(r"[,.;!?，。；！？\n]+", text) if clause.strip()][-1]
