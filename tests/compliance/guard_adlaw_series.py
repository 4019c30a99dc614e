"""Short slogans in series, one list for each kind of wording: text, industry, what callers know, verdict, rules."""

from typing import Any

Row = tuple[str, str, dict[str, Any], str, str]
Pair = tuple[str, str]
NO_CERT: dict[str, Any] = {"has_review_cert": False}
CERT: dict[str, Any] = {"has_review_cert": True}
SHARED_CONTACT: dict[str, Any] = {"has_contact": True, "has_review_cert": False}
UNLABELLED: dict[str, Any] = {"ai_generated": True, "label": None}
PAID: dict[str, Any] = {"has_purchase_link": True, "paid": True}
PRIVATE: dict[str, Any] = {"has_purchase_link": False, "paid": False}
UNPROVEN: dict[str, Any] = {"proof": False}
PROVEN: dict[str, Any] = {"proof": True}

SUPERLATIVES = (
    "世界级美容仪",
    "顶级护肤盛宴",
    "极致水润，极致享受",
    "全网唯一的植萃面膜",
    "全球首创锁水科技",
    "国内首家胶原护理中心",
    "行业领导品牌",
    "王牌爆款，销冠精华",
    "绝无仅有的护肤体验",
    "永久保湿不反弹",
    "特效祛斑霜",
    "宫廷秘方，祖传美白",
    "绝版典藏，史诗级香氛",
    "首席护肤品牌，国际一流品质",
    "全网最低价，错过再无",
    "填补国内空白的抗衰技术",
    "遥遥领先的护肤科技",
    "史无前例的美白效果",
    "顶尖美容师团队",
    "最先进的嫩肤仪器",
    "无与伦比的丝滑触感",
    "护肤界的天花板",
    "100%有效，绝对美白",
    "最受欢迎的面霜品牌",
)
EVASIONS = (
    "zui好的面膜",
    "最·佳口红",
    "国jia级品牌",
    "第壹品牌精华",
    "全网第1️⃣面膜",
    "罪好用的粉底",
    "嘴低价护手霜",
    "唯①正品",
    "极zhi美白",
    "NO①洗面奶",
    "国家ji护肤",
    "最 高 级 面霜",
)
EXCEPTIONS = (
    "最大尺码到XL，最小到XS",
    "最佳赏味期为开封后三天",
    "活动最后一天，先到先得",
    "本品最新款将于下周上架",
    "能效等级：一级能效美容仪",
    "第一章：认识你的肤质",
    "妈妈的最爱，送给她",
    "“第一时间”香水（注册商标）",
    "我们的目标是成为行业第一",
    "客户至上，品质第一",
    "安全第一，请勿入眼",
    "首批到货200支",
    "最早可预约上午10点",
    "本系列中最轻薄的是02号",
    "符合国家级标准GB/T 29665护肤乳液要求",
    "全场满300元最高减50元",
    "创始人曾获国家科技进步一等奖（真实）",
    "建议最长使用期限为开封后12个月",
    "力争为每位顾客提供最好的服务",
    "最多可叠加两张优惠券",
)
CLEAN = (
    "他是第二次来店里",
    "唯一的要求是提前预约",
    "第一次使用请先做局部测试",
    "极简包装，环保纸盒",
    "顶部按压式泵头",
    "最近天气干燥，记得补水",
    "首页点击领取优惠券",
    "最后祝大家周末愉快",
    "绝对值漫画数学手账",
    "天然气味来自橙花精油",
    "国家博物馆联名礼盒",
    "万能胶请勿接触皮肤",
    "一级台阶请小心",
    "全国包邮，偏远地区除外",
    "极地主题橱窗",
    "本店第一届会员日",
    "冠军同款跑步路线打卡",
    "特级厨师的下午茶",
)
COSMETIC_MEDICAL: tuple[Pair, ...] = (
    ("药妆面膜，三天祛痘", "COS43 AL28"),
    ("治疗湿疹的润肤乳", "AL17 COS43"),
    ("抗菌消炎洁面乳", "AL17 COS43"),
    ("活血化瘀眼霜", "AL17 COS43"),
    ("丰胸霜，增大罩杯", "AL17 COS43"),
    ("械字号医用面膜（实为化妆品）", "COS43 AL28"),
    ("祛疤膏，修复疤痕", "AL17 COS43"),
    ("脱敏止痒，荨麻疹专用", "AL17 COS43"),
    ("减肥瘦身霜，燃烧脂肪", "AL17 COS43"),
    ("妊娠纹修复霜，疏通淋巴", "AL17 COS43"),
    ("生发液，治疗脱发", "AL17 COS43"),
    ("干细胞修复精华，DNA再生", "COS43 AL28"),
)
CLINIC: tuple[Pair, ...] = (
    ("保证不留疤，一次成功", "AL16.1"),
    ("百分百安全，绝无后遗症", "AL16.1"),
    ("双眼皮一次成型，永久有效", "AL16.1"),
    ("吸脂无痛无风险，无效全额退款", "AL16.1"),
    ("玻尿酸填充，保证年轻十岁", "AL16.1"),
    ("祛斑成功率99%", "AL16.2"),
    ("脱毛有效率98%，治愈率95%", "AL16.2"),
    ("根治腋臭，治愈率100%", "AL16.1 AL16.2"),
    ("我们的热玛吉比别家医院效果好", "AL16.3 AL13"),
    ("比XX美容医院更安全更便宜", "AL16.3 AL13"),
    ("网红张某代言，亲测有效的水光针", "AL16.4"),
    ("影星王某做了都说好的线雕", "AL16.4"),
    ("李教授推荐的皮秒", "AL16.4"),
    ("三甲医院专家陈主任推荐热玛吉", "AL16.4"),
    ("隆鼻前后对比，惊艳蜕变", "MB-BA"),
    ("术后效果图：一个月恢复", "MB-BA"),
    ("王女士亲身经历：割完双眼皮自信多了", "MB-BA"),
    ("我是真实顾客，打完瘦脸针小了一圈", "MB-BA"),
    ("中国整形美容协会推荐单位", "MB-BA"),
    ("某某医师协会指定机构", "MB-BA"),
    ("颜值低找不到工作，先变美再逆袭", "MB-ANX AL9.7"),
    ("塌鼻梁没人要，快来隆鼻", "MB-ANX AL9.7"),
    ("变美就能嫁得好", "MB-ANX"),
    ("素颜不能看？整容改变命运", "MB-ANX"),
    ("丑是原罪，整形才有未来", "MB-ANX"),
)
CLINIC_OFFERS = (
    "双眼皮手术暑期特价1980元",
    "水光针买一送一，仅限本周",
    "瘦脸针体验价299元",
    "开学季皮秒祛斑团购",
    "光子嫩肤新客五折",
)
CLINIC_TALK = (
    "热玛吉属于医疗美容项目，请选择有资质的机构",
    "科普：注射类项目有一定风险，请遵医嘱",
    "医美手术前应充分了解风险",
)
SUPPLEMENT: tuple[Pair, ...] = (
    ("鱼油软胶囊，治疗高血压", "AL18"),
    ("益生菌预防糖尿病，代替药物", "AL18"),
    ("人人必吃的维生素", "AL18"),
    ("保证七天见效的蛋白粉", "AL18"),
    ("减肥胶囊，安全无副作用", "AL18"),
    ("营养师李某推荐的酵素", "AL18"),
    ("比药物更有效的护肝片", "AL18"),
)
FRANCHISE: tuple[Pair, ...] = (
    ("零风险加盟，三个月回本", "AL25"),
    ("保本高收益，年入百万", "AL25"),
    ("加盟即赚，无需经验，包赚钱", "AL25"),
    ("投资美甲店，年回报率50%", "AL25"),
)
EDUCATION: tuple[Pair, ...] = (
    ("化妆师考证包过，不过退款", "AL28"),
    ("纹绣培训，百分百就业", "AL28 AL9.3"),
    ("考试命题人亲授，保证拿证", "AL24 AL28"),
)
STATE: tuple[Pair, ...] = (
    ("国宴专用护肤品", "AL9.2"),
    ("国家领导人推荐的面霜", "AL9.2"),
    ("军队特供洗面奶", "AL9.2"),
    ("国家机关指定用品", "AL9.2"),
    ("国徽限定礼盒面膜", "AL9.1"),
    ("外交部专供香水", "AL9.2"),
)
MANNERS: tuple[Pair, ...] = (
    ("黄脸婆活该被嫌弃", "AL9.7"),
    ("胖女人没资格穿裙子", "AL9.9"),
    ("皮肤黑就是土", "AL9.7"),
    ("女人不保养，老公跟人跑", "AL9.9 AL9.7"),
    ("乡下人不配用的香水", "AL9.9"),
    ("招财口红，旺夫必备", "AL9.8"),
    ("大师加持护肤油，辟邪改运", "AL9.8"),
    ("涂上就转运的星座唇膏", "AL9.8"),
    ("性感撩人，今夜让他欲罢不能", "AL9.8"),
    ("赌一把，澳门赌场同款香水", "AL9.8"),
)
REVIEWED: tuple[Pair, ...] = (
    ("拥有多项发明专利（无专利号）", "AL12"),
    ("专利配方，深层补水", "AL12"),
    ("运用专利微囊技术", "AL12"),
    ("实验数据显示保湿提升50%（无出处）", "AL11.2"),
    ("调查显示九成用户满意", "AL11.2"),
    ("临床证实24小时长效保湿（未注明来源）", "AL11.2"),
)
EVIDENCED = (
    "敏感肌可用（已完成人体功效测试，报告见详情页）",
    "连用14天，92%受试者认为皮肤更水润（样本30人，报告编号见详情页）",
    "24小时保湿（第三方检测报告编号2024-001）",
)


def _rows(texts: tuple[str, ...], verdict: str, rules: str = "", facts: dict[str, Any] | None = None) -> list[Row]:
    return [(text, "cosmetics", facts or {}, verdict, rules) for text in texts]


def _blocked(pairs: tuple[Pair, ...], industry: str) -> list[Row]:
    return [(text, industry, {}, "block", rules) for text, rules in pairs]


def _clinic(texts: tuple[str, ...], facts: dict[str, Any], verdict: str, rules: str = "") -> list[Row]:
    return [(text, "medical_aesthetics", facts, verdict, rules) for text in texts]


ROWS: tuple[Row, ...] = (
    *_rows(SUPERLATIVES, "block", "AL9.3"),
    *_rows(EVASIONS, "block", "AL9.3"),
    *_rows(EXCEPTIONS, "allow", facts=UNPROVEN),
    *_rows(CLEAN, "allow"),
    *_blocked(COSMETIC_MEDICAL, "cosmetics"),
    *_blocked(CLINIC, "medical_aesthetics"),
    *_clinic(CLINIC_OFFERS, NO_CERT, "block", "MB1"),
    *_clinic(CLINIC_TALK, NO_CERT, "allow"),
    *_clinic(("科普：皮秒和光子嫩肤怎么选？加微信咨询本院",), SHARED_CONTACT, "block", "AL14 MB1"),
    *_clinic(("健康讲堂：如何淡斑，地址电话见文末",), SHARED_CONTACT, "block", "AL14 MB1"),
    *_clinic(("医疗广告审查证明文号：（京）医广【2025】第03-02-005号，项目：皮秒",), CERT, "review"),
    *_blocked(SUPPLEMENT, "supplement"),
    ("本品不能代替药物，适宜人群：成年人", "supplement", {}, "allow", ""),
    ("保健食品不是药物，国食健注G20XXXXXX", "supplement", {}, "allow", ""),
    *_blocked(FRANCHISE, "franchise"),
    ("加盟需谨慎，收益因店而异", "franchise", {}, "allow", ""),
    *_blocked(EDUCATION, "education"),
    ("美容师培训，小班授课，课程表见附件", "education", {}, "allow", ""),
    *_blocked(STATE, "cosmetics"),
    *_blocked(MANNERS, "cosmetics"),
    *[(text, "cosmetics", {}, "review", rules) for text, rules in REVIEWED],
    *_rows(EVIDENCED, "review"),
    ("专利号 ZL202210000001.2，专利名称：一种保湿乳液", "cosmetics", {}, "allow", ""),
    ("2024年类目销量第一（数据来源：某某咨询，2025年1月）", "cosmetics", PROVEN, "allow", ""),
    ("链接在评论区，姐妹们冲这款面霜", "cosmetics", PAID, "block", "AL14"),
    ("这款粉底我用空了五瓶", "cosmetics", PAID, "block", "AL14"),
    ("广告｜合作推荐：这支唇釉很显白", "cosmetics", PAID, "allow", ""),
    ("今天的通勤妆容记录", "cosmetics", PRIVATE, "allow", ""),
    ("AI主播小美带你逛新店", "cosmetics", UNLABELLED, "review", "AI-LABEL"),
    ("数字人模特展示秋季新色", "cosmetics", UNLABELLED, "review", "AI-LABEL"),
    ("本视频由AI生成，展示新品色号", "cosmetics", {"ai_generated": True, "label": "AI生成"}, "allow", ""),
)
