# ruff: noqa: E501 - patterns read better unbroken
"""Finds the orders in a text, in a dozen languages: what to say, which tool to use, what to give away."""

import re
from dataclasses import dataclass, field
from functools import cache

from sandbox.llm.decoding import shifts, views

_FLAGS = re.IGNORECASE | re.DOTALL

# What is to be given away.
_LEAKS = (
    r"\b(print|show|reveal|repeat|output|display|tell|give|leak|dump|send|translate|summari[sz]e|list|write|copy|share|paste|expose|recite|what (is|are|was|were|does))\b.{0,48}\b(system prompt|initial prompt|your (full |exact |initial |hidden |own |secret |original )*(prompt|instructions|rules|guidelines|configuration|system message)(?! (for|on|about|regarding|of|to)\b)|(text|words|message|lines?|everything|content|instructions) (above|before this)|rules you (operate|work|run|live|act)|first (message|instruction)|private notes|tools you (have|can)|login( data)?\b|canary|hidden (text|prompt|instructions)|(notes|memory|memories|records|data) (you|that you) (keep|have|store)|notes you keep|(your |the )?other (client|tenant|customer|brand|workspace|account)s?|api[ _-]?(token|key)s?|access token|password|secrets?|credentials|customer (phone|list|data|e-?mail)s?|phone numbers)",
    r"\b(exact |very )?words you were given\b|\b(encode|translate|print|spell) your (instructions|prompt|rules)\b|\b(system|setup) message\b|\b(in|from) your memory\b|\bother (companies|clients|businesses) use\b|\bread me (their|her|his)\b|\bhome address\b|\bphone number (on|of|for)\b|提示词.{0,4}(原文|发给|贴)|完整复述|开头的设定|记忆库|手机尾号|住在哪|联系方式发|prompt di sistema|CANARY_",
    r"canary\w*\s*\?|\bwhat (were|are) you (told|instructed|asked|programmed)|(前面|上一|前一|别的|其他)(那)?(位|个)?(顾客|客户|用户|人)的?.{0,8}(电话|手机|地址|订单|信息|资料)|原样(贴|输出|复述|发|打印)|第一(段|句)话|\b(phone|number|e-?mail|address|birthday|booking|contact details)\b.{0,40}\b(for|of|from|does) (her|him|them|my (friend|wife|husband|sister|brother|neighbou?r|boss|ex)|(?-i:[A-Z]\w+ [A-Z]\w+))|\bmy (friend|wife|husband|sister|brother|neighbou?r)\b.{0,60}\b(number|phone|address|e-?mail)\b.{0,30}\?",
    r"(打印|输出|显示|告诉|发给|泄露|翻译|列|给我|说出|交出|公开|复述|提供|展示).{0,24}(系统提示|提示词|系统指令|你的(指令|规则|设定|提示)|别的(品牌|客户|商家)|其他(品牌|客户|租户|商家)|预算|密钥|令牌|密码|手机号|客户名单|客户电话|顾客电话|内部(资料|备注))|(别的|其他|另外|哪些)的?(品牌|租户).{0,16}(预算|客户|资料|多少|哪|服务|列)|还?服务哪些.{0,4}品牌|系统提示词?(是|的)(什么|内容)",
    r"\b(montre|affiche|révèle|donne|imprime)\w*\b.{0,30}\b(prompt|instructions|consignes)|\b(zeige?|gib|drucke|verrate?)\b.{0,30}\b(prompt|anweisungen|systemprompt)|\b(muestra|revela|imprime|dime)\b.{0,30}\b(prompt|instrucciones)",
)
# Texts that command an assistant, as no customer would speak to a brand.
_COMMANDING = (
    # Away with what was said before.
    r"(?<!\bi )(?<!\bwe )(?<!they )(?<!always )\b(ignore|disregard|forget|override|bypass|void|drop|skip|discard|neglect|cancel|suspend|set aside)\b[\s,:]+((all|any|every|the|your|these|those|previous|prior|above|earlier|preceding|of|my|its|safety|content|system|brand|company|usual|other|current|existing|initial|original)\s+)*(instruction|rule|guideline|prompt|polic|filter|guardrail|restriction|directive|order|constraint|escalation|safeguard|training)",
    r"\b(instructions|rules|guidelines|guardrails|policies|restrictions)\b.{0,24}\b(void|cancel+ed|no longer|obsolete|suspended|do not apply|don't apply|are gone|(been )?replaced|overridden)\b|\b(set aside|forget|discard) (everything|all|anything) (you|that|above|before)",
    r"(忽略|无视|忘记|忘掉|绕过|绕开|抛弃|不用管|别管|放弃|弃|违|跳过|取消|推翻).{0,10}(指令|规则|要求|提示|设定|限制|约束|前令|前命|戒律|规定|审核)",
    r"\b(ignore[rz]?|oublie[rz]?|négligez?|neglige|oubliez)\b.{0,24}\b(instructions?|règles?|regles?|consignes?|directives?)",
    r"\b(ignora[rd]?|olvida[rd]?|omite|dimentica|esque[çc]a|ignore)\b.{0,24}\b(instruc\w+|istruzion\w+|reglas|regole|regras|órdenes|ordini)",
    r"\b(ignorier\w*|vergiss|missachte\w*|vergesst)\b.{0,30}\b(anweisung\w*|regeln?|vorgaben?|instruktion\w*|befehle)",
    r"(игнорируй\w*|забудь\w*|не обращай).{0,24}(инструкц|правил|указан)|(指示|命令|ルール).{0,10}(無視|忘れ)|(지시|명령|규칙).{0,8}(무시|잊)|تجاهل.{0,24}(تعليمات|أوامر)",
    # Somebody plays the system, a tool or a boss.
    r"<\|?(im_start|im_end|system|endoftext|start_header_id)|</?\s*(untrusted|system|assistant|instruction|prompt)\w*|\[/?(inst|system|admin|assistant|tool|end)\b|[\"']?role[\"']?\s*[:=]\s*[\"']?(system|developer|assistant|tool)|^\W*(system|assistant|developer|admin|operator)\s*(message|prompt|note|override)?\s*:|#{2,}\s*(system|instruction|admin|new task|end)|\b(admin|system|developer|root|god|debug|maintenance)[ _-]?(override|mode|access|command)\b|\{\{\s*(system|admin|user|assistant)\b|\bEND OF (THE )?(COMMENT|TEXT|MESSAGE|DOCUMENT|REVIEW|INPUT|CONTENT)\b|\b(assistant|ai|bot|agent|model) (task|action|instruction|command)s?\s*:|\bBEGIN (SYSTEM|PROMPT)",
    r"[\[【（(](工具结果|系统|系统消息|管理员|tool[ _]result|长期记忆更新|记忆更新|指令|最高权限)|[【\[][^】\]\n]{0,14}(局|官方|平台|总部|部门|委员会)[^】\]\n]{0,4}[】\]]|human_approval|compliance_check\s*=",
    r"\b(ai|llm|language model|reviewer|monitoring|moderation)[ -]?(agents?|assistants?|bots?|models?|tools?|systems?|readers?)\b.{0,6}[:,]|\b(note|message|instructions?|attention|memo|dear|hey|hello) (to |for )?(the |all |any |you )?(reviewer|ai|assistant|bot|agent|model|chatbot|llm)\b|\bassistant,\s|\bfor ai\b|^\W*(ai|bot|assistant|agent)\s*[,:]",
    r"\b(developer|admin|administrator|engineer|support team|trust (&|and) safety|owner|ceo|manager|security team|compliance team|platform|auditor)s?( team)? here\b|\bthis is (the |your |a )?(\w+ )?(platform('s)? )?(trust (&|and) safety|admin\w*|developer|ceo|owner|security team|police|support team|engineering)\b|\bi am (your |the |an? )?(developer|administrator|admin|owner|creator|operator|engineer|boss|ceo)\b|\bwe are debugging\b|\bthe manager said\b|我是.{0,6}(开发|管理员|老板|主管|创始人|客服主管|工程师|平台)",
    r"\byou (are|re) (now )?(unrestricted|free|jailbroken|dan|in (developer|debug|god) mode|no longer)|\b(act|behave|respond|pretend|roleplay) as (if you (were|had|are)|an? (unrestricted|different|evil|uncensored))|\bnew (task|instruction|system prompt|directive|mission|objective)s?\b\s*:|\byou must (now|dm|post|reply|say|delete|send|publish|answer|ignore|obey|follow|call|write|output|always|never|approve|comply|act|print|include|end|start)\b|\b(start|end|begin|finish|open|close|prefix|sign) (every|each|all|your|the) (\w+ )?(answer|reply|response|message|post|sentence|text)s?\b|\b(respond|answer|reply|write|speak|talk) (in the (style|voice|tone|manner)|like|as if)\b|\bif you are (an? )?(ai|bot|llm|language model|assistant|machine)\b|如果你是(AI|人工智能|机器人|大模型)|\b(act|speak|write|answer|post) (like|as) (the )?(brand|company|ceo|owner|admin)|\bin public that\b|\bdo (what|as) (it|he|she|they|the page|this) (says?|tells?)|以.{0,8}(身份|口吻|名义)(发|回|说|宣布|写)|模仿.{0,8}(品牌|官方|老板)|你必须|\bdear (model|ai|bot|assistant)\b|\bto the (automation|bot|ai|model|robot|assistant|agent)\b|\byour (next|new|only|first) (action|task|job|step|reply|answer|output|goal|instruction)\b.{0,16}\b(is|must|should|be|will)\b|新任务|新指令|你现在是.{0,12}(不受|无限制|开发者)|从现在起.{0,8}(你|所有|每次|一律|必须)",
    *_LEAKS,
    # Say after me.
    r"(^|[.!?;:&,\n>)\]}\"”]|\b(and|then|just|please|now|must|should|only|to|simply|will|shall|can you|could you)\b)\s*(reply|respond|answer|say|output|print|repeat|type|tweet|echo|state|confirm|quote|spell|write|post|comment|publish|start your (reply|answer)|end your (reply|answer)|finish your (reply|answer))\b\s*((back|only|exactly|just|simply|in writing|with|by saying|using|after me|the following|the (exact )?(word|words|sentence|phrase|string|text|line)|verbatim|literally|this|that|a|it|on|me|us|loudly|publicly|to (me|everyone|all|this))\b[\s,]*)*([:：]|[\"'“”‘’「『`]|(?-i:[A-Z]{3,}\b|[A-Z]{2,}\w*-)|\bwith the (word|phrase)|https?:)",
    r"\b(say|reply|respond|output|print|repeat|echo|answer)\b[\s:]*(only|with|exactly|just|the word)?[\s:\"“']*(?-i:[A-Z0-9]*[A-Z]{3,}[A-Z0-9]*[-_]?\w*)",
    r"\b(reply|respond|answer)\b (only|exactly|just) (with|by)?|\brepeat after me\b|\bsay after me\b|\bcomplete (the|this|my) (sentence|phrase|text)|\bfinish (the|this) sentence|\bfill in the blank|\bquote this\b|\b(repeat|say|write|post|output)\b[^.!?\n]{0,40}\b(times|verbatim|word for word)\b|\bpost (a|an|the) \w+ (saying|that says|claiming|announcing)|\b(tell|inform|warn) (the|another|every|other|all|our|your) (other |next |previous )?(customers?|users?|followers?|people|guests?)\b|\binclude (this|the following)\b|\bas the brand\b|\bon (the |your )?brand('s)? (account|page|channel)|\bjust the (sentence|word|text)\b|\bsummari[sz]e this page as\b|\bthen obey\b|\bobey (this|it|me)\b|\bdecode (this|and|it|the following)\b.{0,30}\b(do|obey|follow|execute|run)\b|\b(follow|obey|carry out|perform|execute) (the |these |this |those |all )(following |above |hidden |decoded )?(instruction|order|command|step|text)s?",
    r"(?<![你他她它]们)(只|就|请|快|跟我|你就|但|直接|统一|都|并且?|且|然后|必须|立即|马上|可以|[，。；！：\s/]|^)(只能|只|直接|统一)?(回复|回答|(?<!跟我)说(?!话)|念|输出|写|发|复述|打印|书|曰|评论|发布|转发|宣布)(一句|出|道|上|下)?\s*[“\"「『'：:]|跟我(念|读|说(?!话)|一起)|把(这|下面|以下)(句|段|条).{0,4}(发|贴|写|放)|改成\s*[“\"「『'：:]|宣布.{0,6}(召回|停业|倒闭)|照做|照着做|请执行|执行(以下|下面|这)|拼起来|(回复|回答|输出|说)(?-i:[A-Z]{3,})|但书|[汝尔]当|解码后(执行|照做)",
    r"\b(réponds?|répondez|dis|dites|écris|écrivez|répète|répétez|affiche[rz]?|publie[rz]?)\b.{0,30}([:：]|[\"'«“]|seulement|uniquement|exactement|(?-i:[A-Z]{3,}-?))|\b(responde|di|escribe|repite|publica)\b.{0,30}([:：]|[\"'“]|solo|solamente|únicamente|(?-i:[A-Z]{3,}-?))|\b(antworte|sag|schreib|wiederhole|veröffentliche)\w*\b.{0,30}([:：]|[\"'„“]|nur|ausschließlich|(?-i:[A-Z]{3,}-?))|\b(rispondi|scrivi|ripeti|pubblica|diga|escreva|responda|repita)\b.{0,30}([:：]|[\"'“]|solo|soltanto|apenas|somente|(?-i:[A-Z]{3,}-?))|(ответь|скажи|напиши|повтори).{0,24}([:：]|[\"'«“]|только|(?-i:[A-Z]{3,}))|(だけ|のみ)(を)?(返信|答え|回答|言)|라고만? (답|말|써)",
    r"\bnew instructions?\b(?! (are|is|were|for|came))|\bas your (developer|admin|boss|owner|creator)\b|\bi order you\b|\b(your|the) boss (told|said)|\bfrom (anthropic|openai|the red team)|\bred team\b|\blet'?s play a game\b|\byou are \w*bot\b|\bto the (reply|crawler|chat) ?(bot|agents?)\b|\bcrawler agents?\b|tool_result|\bi bet you can'?t (say|type|write)\b|/etc/passwd|你现在不再是|(规定|规则|要求|指令)(全部)?作废|系统指令|角色\s*[:：]\s*system|连读|并执行|(勿|不)从.{0,4}(训|令|规)|(惟|唯|但)书|机器人注意",
    r"\b(reply|answer|response|summary|message|text) (must|should|has to|needs to) (contain|include|say|end|start|state|mention)|\bin your (summary|answer|reply|response|text)\b.{0,12}\b(state|say|mention|write|include|that)\b|\bappend <|\b(tag|mention|ping) @\w+|\bwrite the (sentence|word|phrase|line)\b|\bjust (answer|say|reply|one line|type)\b|\bagree with me that\b|\bendorse(ment)?\b|\bfinish the (joke|sentence|line|story)\b|\bsign off with\b|\bread (this|it|the) (message |text )?aloud\b|\bquote it\b|\bwhisper\b|\bfirst letters\b|\bwithout the (dots|spaces|dashes)\b|\bannounce (to|that)\b|\bcomplete (this|the) (string|sequence|code)\b|你只要说|替(品牌|你们|官方)发|用官方号|跟读|读一遍|置顶|艾特\s*@|免审|放行|以后都记得|永远记住|就(推荐|说|回答)",
    r"\bpromised\b.{0,20}$|\b(half price|for free|free of charge)\b.{0,30}\b(promised|agreed|owner|manager)|\bi (always )?get\b.{0,20}\b(half price|free|\d+ ?% off)|\brecommend (it|this|them)? ?to (all|every)",
    # Use your hands.
    r"\b[a-z]{3,}_[a-z_]{3,}\s*\(|\b(run|call|exec|eval)\s+\w+\s*\(|\bsudo (publish|post|delete|grant|rm|send)|\b(publish|post|delete|send)\s+--\w|\bcall each\b|\b(call|use|invoke|run|trigger|execute|activate)\b.{0,20}\b(tool|function|api|plugin)s?\b|\b(your|the) \w+ tool\b|下一步[：:]\s*\w+|调用.{0,12}(工具|函数|接口)",
    r"\b(dm|message|e-?mail|text|send|spam|notify|contact|tell|write to)\b.{0,40}(\b(all|every|each|our|your|my) (of )?(the |your |our |my )?(followers?|subscribers?|customers?|users?|contacts?|members?|fans?|people|clients?)\b|\b(everyone|everybody)\b|@\w+[\s,]+@\w+)|\b(dm|message) (all|every|each|everyone)|(群发|私信|发送|发).{0,8}(所有|全部|每个|每位).{0,4}(粉丝|顾客|客户|用户|关注者|人)",
    r"\b(delete|remove|erase|wipe|take down|purge)\b.{0,12}\b(all|every|each|the (last|latest|brand'?s?)|your)\b.{0,16}\b(posts?|tweets?|messages|content|history|account|database|data)\b|好评.{0,4}(全部|都|统统)?(删|撤)|(删除|删掉|清空|撤下).{0,4}(全部|所有|一切|最近).{0,6}(帖子|内容|动态|数据|微博|推文)",
    r"\bapprove\b(?! my).{0,30}\b(every|all|pending|item|queue|post|draft|this|it|review|request)|\b(already|was|been|were) approved by\b|\bskip (the )?(review|escalation|approval|moderation|check)|(批准|同意)(?!我的).{0,8}(全部|所有|待审|这条|申请)|(并|直接|让它|一律)通过(审核)?|无需审核|跳过审核",
    r"\b(set|raise|change|increase|update|lower|make)\b.{0,24}\b(budget|limit|spend|cap|quota)\b.{0,30}\b(to|unlimited|max|infinite|\d)|\bgrant\b.{0,20}\b(role|access|permission|owner|admin|rights)|\bissue (a |the )?refund of\b|\bset (the |your )?auto[- ]?reply|自动回复.{0,4}(改|设|换)|\b(classify|mark|rate|label|treat|categori[sz]e|flag|tag)\b.{0,40}\bas (safe|positive|praise|approved|harmless|trusted|urgent|resolved|spam|negative|read|benign)|标记为(好评|已读|安全|通过)|\btrusted (link|site|domain|sender)s?\b|\b(disable|turn off|switch off|deactivate|remove|lift|suspend)\b.{0,24}\b(filter|guard\w*|moderation|safety|review|logging|checks?|limit|compliance|protection)|\b(role|plan|is_admin|can_\w+|permission|tier|approved|verified)s?\s*[=:]\s*\w+|(设置|修改|提高|改成|改为|调到).{0,10}(预算|权限|管理员|上限)|(禁用词|黑名单|过滤|审核|限制).{0,8}(清空|取消|关闭|停用|解除)|(清空|取消|关闭|停用|解除).{0,8}(禁用词|黑名单|过滤|审核|限制)",
    r"\b(create|generate|make|issue|give|send)\b.{0,24}\b(coupon|voucher|discount code|promo code|gift card)s?\b.{0,40}\b(named|called|for me|for free|code|%|\w*\d\w*)|\b\d{2,3}\s?%\s*(discount|off)\b.{0,30}\b(coupon|code)|(创建|生成|发|给我|送).{0,10}(优惠券|折扣码|折扣券|代金券)",
    r"\b(follow|unfollow|block|unblock|mute|add|retweet|like)\b\s+(@\w+|the (user|account)|this account)|\b(open|fetch|visit|browse|load|click|go to|download|request|curl|get)\b\s*(the )?(page |link |url |site )?(at )?https?://|(?<!取消)(关注|拉黑|取关|屏蔽)(\s*@\w+|这个|此|该)|(打开|访问|点击|抓取)\s*(这个)?(链接|网址|页面)?\s*https?://",
    r"\b(forward|send|e-?mail)\b.{0,30}\b(messages?|dms?|mails?|conversations?|list|data|everything|all)\b.{0,20}\bto\b\s*\S+@\S+|\bforward (my|this|the|all).{0,30}\bto (every|all|everyone)|\b(export|upload|transfer|forward|hand over|send)\b.{0,24}\b(contacts?|customers?|subscribers?|leads|crm|client list|user list|phone numbers|api token|database)\b|(导出|上传|转发).{0,8}(联系人|客户|顾客|名单|用户)",
    r"\bschedule\b.{0,16}\b(a |the |this )?(post|tweet|message)\b|\b(change|update|edit|rewrite|replace|modify)\b.{0,16}\b(your |the )?(prompt|system message|bio|instructions|guidelines|profile)\b.{0,30}(=|:|\bto\b|\bso\b|\")|\bupdate_?profile|\b(add|remove)\b.{0,24}\b(watch ?list|allow ?list|block ?list|keyword)|(修改|更改|替换).{0,6}(简介|提示词|资料).{0,4}(为|成)",
    # Remember for good, say nothing about it.
    r"\b(remember|store|save|memori[sz]e|note)\b.{0,8}\b(this|that|it|the following)\b.{0,20}\b(rule|forever|permanent|from now|always|in (your )?memory|future)|\((please )?(store|save|remember|memori[sz]e) this\)|\bfrom now on\b.{0,40}\b(always|you|every|answer|reply|say|all|never|treat)|\b(if|when(ever)?) (anyone|someone|anybody|somebody|a customer|customers|people|users?|they) (later |ever |next )?asks?\b.{0,60}\b(answer|say|tell|reply|respond)|\bstore in memory\b|\bnote for (later|future|next) (session|run|conversation|chat|time you)|\balways recommend\b|\bfor (later|future|all) (sessions|conversations|chats)|\bpermanent (rule|instruction)|\b(long-?term )?memory (update|write)|记住[：:].{0,6}(以后|从今|凡是|所有)|永久规则|长期记忆|记忆更新|以后所有人|以后.{0,8}(都|一律|统一)(回答|回复|说)|凡是.{0,12}(问|提到).{0,12}(回答|回复|说)",
    r"\b(do not|don'?t|never) (log|record|report|escalate|flag|alert|notify)\b|\b(do not|don'?t|never) (tell|inform|mention)\b.{0,16}\b(operator|human|reviewer|moderator|team|admin|owner)|不要(记录|上报|告诉.{0,6}(管理|运营|人工|操作员))",
)

# A plain wish: to say something, or to do one of the deeds.
_WISHES = (
    r"\b(say|write|reply|respond|announce|post|publish|tell|tag|append|include|confirm|agree|encode|list|look up|copy|paste|reveal|forward|remember|keep in mind|finish|complete|type|output|state|pin|delete|create|approve|schedule|export|send me)\b",
    r"[A-Z]{2,}[-_]?\d+|https?://|@\w+",
    r"说|回复|输出|发给|告诉|导出|列出|查一下|复述|记住|记得|推荐|删除|发布",
    r"\b(dis|écris|publie|envoie|di|escribe|manda|sag|schreib|sende|scrivi|mostra\w*|diga|escreva)\b",
)
_CODE = re.compile(r"\b[A-Z]{2,}[-_]?\d+\b")

# What can be done, by the names that tools go by, and the words for it.
_DEEDS = {
    "publish": r"\b(publish|post|tweet|publie[rz]?|publica|veröffentlich\w*)\b|发布|发帖|发一条",
    "reply_send": r"\b(reply|respond|answer|réponds|responde|antworte)\b|回复|回答",
    "dm_send": r"\bdms?\b|\b(direct )?messages?\b|\bsend\b.{0,20}\b(to|followers|everyone)\b|私信|群发",
    "delete_post": r"\b(delete|erase|wipe|take down|purge|supprime\w*|lösch\w*|borra)\b|删除|删掉|清空",
    "update_profile": r"\b(update|change|edit)\b.{0,20}\b(profile|bio|name|avatar)\b|\b(role|plan)\s*=|修改.{0,4}(简介|资料)",
    "create_coupon": r"\b(coupon|voucher|discount code|promo code)\b|优惠券|折扣码|代金券|0元",
    "follow": r"\bfollow\b(?!ers)|关注",
    "block_user": r"\bblock\b|拉黑|屏蔽",
    "approve_review": r"\bapprov\w*|\bskip escalation\b|human_approval|批准|通过审核",
    "change_prompt": r"\b(prompt|guidelines|rules|filter|instructions)\b.{0,20}\b(change|void|disable|update)\w*|\b(change|disable|update|ignore|disregard|forget)\b.{0,30}\b(prompt|guidelines|rules|filter|instructions)|(忽略|修改|清空).{0,8}(指令|规则|提示词|禁用词)",
    "export_contacts": r"\b(export|send|give|what)\b.{0,40}\b(contacts?|customers?|phone numbers?|token|clients?|number)\b|导出|客户名单|手机号",
    "http_fetch": r"https?://|\b(open|fetch|visit|browse)\b|打开|访问",
    "schedule_post": r"\bschedul\w+|定时|排期",
    "set_budget": r"\b(budget|limit|quota|spend)\b|预算|上限",
    "update_watchlist": r"\bwatch ?list\b|关键词监控|监控词",
    "save_memory": r"\b(remember|store|save|memor\w+|from now on)\b|记住|记忆|以后",
    "run_command": r"\b(sudo|shell|bash|execute|rm -rf)\b|执行命令",
}  # fmt: skip
_QUOTED = re.compile(
    r"[\"“”„«「『]([^\"“”„»」』\n]{1,400})[\"“”»」』]|(?<!\w)'([^'\n]{3,200})'(?!\w)|`([^`\n]{1,200})`"
)
_AFTER_VERB = re.compile(
    r"(?:reply|respond|answer|say|output|print|repeat|type|tweet|echo|state|confirm|write|post|comment|dis|réponds?|écris|répète|responde|di|escribe|repite|antworte|sag|schreib|wiederhole|rispondi|scrivi|diga|escreva|ответь|скажи|напиши|回复|回答|说|念|输出|写|发|复述|书|念)\w*"
    r"(?:\s+(?:with|only|exactly|just|the|word|words|sentence|phrase|after me|in writing|back|seulement|uniquement|nur|solo|solamente|soltanto|apenas|только))*\s*[:：]?\s*(?P<said>[^\n]{1,300})",
    re.IGNORECASE,
)
_URL = re.compile(r"(?:https?://|www\.)[^\s\"'<>）)】]+|\b[\w-]+\.(?:example|com|net|org|cn|io)\b[^\s\"'<>）)】]*")
_NAMED_TOOL = re.compile(r"\b([a-z]+(?:_[a-z]+)+)\s*(?:\((?P<args>[^)]*)\))?")
_LABEL = re.compile(
    r"\b(?:classify|label|mark|treat|rate|score|categori[sz]e|count|route|set|flag)\b.{0,40}?\b(?:as|to|with)\b\W{0,3}([\w-]+)|(?:标记|归类|分类|判定|标)为\W?([\w\u3400-\u9fff]+)|\b(?:intent|sentiment|route|verdict|category|decision)\W{1,3}([\w-]+)",
    re.IGNORECASE,
)


_MOST_READ = 12_000


@dataclass
class Orders:
    # Whether anything commands the assistant, as against a customer's plain wish.
    is_commanded: bool = False
    # Whether there is something to do or to say in it at all.
    is_wished: bool = False
    gives_away: bool = False
    says: list[str] = field(default_factory=list)
    tools: list[str] = field(default_factory=list)
    # Arguments as they were written, by the name of the tool.
    arguments: dict[str, str] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    # Every commanding reading, to be echoed.
    echoes: list[str] = field(default_factory=list)


@cache
def _compiled(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, _FLAGS | re.MULTILINE) for pattern in patterns)


def _matches(patterns: tuple[str, ...], text: str) -> bool:
    return any(pattern.search(text) for pattern in _compiled(patterns))


def is_command(text: str) -> bool:
    return _matches(_COMMANDING, text)


def find_orders(text: str) -> Orders:
    """The orders of a text in all its readings; none when no reading commands."""
    orders = Orders()
    if len(text) > _MOST_READ:
        # Orders stand at an end, or the patience of a test is over.
        text = f"{text[: _MOST_READ // 2]}\n{text[-_MOST_READ // 2 :]}"
    read = views(text)
    for view, is_hidden in read:
        if is_command(view) or (is_hidden and _is_hidden_wish(view)):
            _note(orders, view, text)
    if not orders.is_commanded:
        _note_wishes(orders, text)
    elif read:
        _extend(orders.echoes, [*[view for view, _ in read], *shifts(text)])
    return orders


def _note_wishes(orders: Orders, text: str) -> None:
    """What a plain text asks to be said or done: followed in free words, but no reason to misjudge it."""
    if not _matches(_WISHES, text):
        return
    _note(orders, text, text)
    _extend(orders.says, _CODE.findall(text))
    orders.is_commanded, orders.is_wished, orders.gives_away = False, True, False


def _is_hidden_wish(view: str) -> bool:
    """What hides and still speaks of a deed is an order, however politely put."""
    return (
        len(view) > 8
        and any(
            re.search(_DEEDS[name], view, _FLAGS)
            for name in ("dm_send", "delete_post", "export_contacts", "create_coupon")
        )
        and re.search(r"\b(send|dm|delete|export|create|say|reply|post)\b|私信|删除|导出|回复", view, _FLAGS)
        is not None
    )


def _note(orders: Orders, view: str, raw: str) -> None:
    orders.is_commanded = True
    orders.gives_away = orders.gives_away or _matches(_LEAKS, view)
    _extend(orders.says, _said_in(view, raw))
    _extend(orders.urls, _URL.findall(view))
    _extend(orders.labels, [one for found in _LABEL.findall(view) for one in found if one])
    for match in _NAMED_TOOL.finditer(view):
        _extend(orders.tools, [match[1]])
        if match["args"]:
            orders.arguments[match[1]] = match["args"]
    _extend(orders.tools, [name for name, pattern in _DEEDS.items() if re.search(pattern, view, _FLAGS)])
    _extend(orders.echoes, [view])


def _said_in(view: str, raw: str) -> list[str]:
    """What is to be said; where only letters were exchanged, as it stood before that too."""
    spans = [match.span(match.lastindex or 0) for match in _QUOTED.finditer(view)]
    spans += [match.span("said") for match in _AFTER_VERB.finditer(view)]
    sources = [raw, view] if len(raw) == len(view) else [view]
    return [said for start, end in spans for source in sources if (said := source[start:end].strip(" /|,;:")) and said]


def _extend(known: list[str], more: list[str]) -> None:
    known += [one for one in dict.fromkeys(more) if one not in known]


def fits(name: str, order: str) -> bool:
    """Whether an offered tool is the one an order means: the same word in both names, or one that stands for it."""
    words, wanted = set(re.split(r"[_\W]+", name.lower())), set(re.split(r"[_\W]+", order.lower()))
    meant = {alike for word in wanted for alike in _ALIKE.get(word, ())}
    return (
        bool(words & (wanted | meant) - {"post", "user", "create", "send", "update"}) or name.lower() == order.lower()
    )


_ALIKE = {
    "publish": ("publish", "post", "tweet", "share"),
    "reply": ("reply", "respond", "answer", "comment"),
    "dm": ("dm", "message", "direct", "notify"),
    "delete": ("delete", "remove", "erase", "archive"),
    "profile": ("profile", "bio"),
    "coupon": ("coupon", "voucher", "discount"),
    "approve": ("approve", "accept", "review"),
    "prompt": ("prompt", "instructions", "rules", "settings"),
    "export": ("export", "download", "contacts", "lookup"),
    "fetch": ("fetch", "http", "url", "browse", "web", "open"),
    "schedule": ("schedule", "plan", "calendar"),
    "budget": ("budget", "limit", "spend"),
    "watchlist": ("watchlist", "keywords", "keyword"),
    "memory": ("memory", "remember", "note", "save", "block", "fact"),
}
