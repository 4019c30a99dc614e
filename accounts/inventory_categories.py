"""The kinds of data the privacy page tells of, in English and Chinese."""

from accounts.inventory import Category

CONTRACT = {"en": "Contract (GDPR Art. 6(1)(b))", "zh": "履行合同（GDPR 第 6(1)(b) 条）"}
INTEREST = {"en": "Legitimate interest (Art. 6(1)(f))", "zh": "正当利益（第 6(1)(f) 条）"}
DUTY = {"en": "Legal duty (Art. 6(1)(c))", "zh": "法定义务（第 6(1)(c) 条）"}
CONSENT = {"en": "Consent (Art. 6(1)(a))", "zh": "同意（第 6(1)(a) 条）"}
US_ONLY = {"en": "Nobody else", "zh": "不提供给他人"}
MEMBERS = {"en": "Members of the same workspace", "zh": "同一工作区的成员"}
NETWORKS = {
    "en": "Members of the same workspace; the networks you connect (X, Telegram)",
    "zh": "同一工作区的成员；您所连接的平台（X、Telegram）",
}

ACCOUNT = Category(
    "account",
    {"en": "Name, e-mail addresses, time zone, preferences", "zh": "姓名、电子邮箱、时区、偏好设置"},
    {"en": "To let you in and to reach you", "zh": "用于登录和联系您"},
    CONTRACT,
    MEMBERS,
)
SIGN_IN = Category(
    "sign-in",
    {"en": "Password digest, second factors, sessions, linked sign-ins", "zh": "密码摘要、双重验证、会话、关联登录"},
    {"en": "To keep your account yours", "zh": "保护账户安全"},
    CONTRACT,
    US_ONLY,
)
TEAM = Category(
    "team",
    {"en": "Memberships, invitations, shared objects, API keys", "zh": "成员关系、邀请、共享对象、API 密钥"},
    {"en": "To know who may do what in a workspace", "zh": "确定谁可以在工作区中做什么"},
    CONTRACT,
    MEMBERS,
)
CONTENT = Category(
    "content",
    {"en": "Campaigns, posts, media, templates and who wrote them", "zh": "活动、帖子、媒体、模板及其作者"},
    {"en": "To write, plan and keep what is to be published", "zh": "撰写、计划和保存要发布的内容"},
    CONTRACT,
    NETWORKS,
)
APPROVALS = Category(
    "approvals",
    {"en": "Reviews, comments and decisions, by members and by clients", "zh": "成员与客户的审核、评论和决定"},
    {"en": "To send only what a person approved", "zh": "只发送经人批准的内容"},
    CONTRACT,
    MEMBERS,
)
PUBLISHING = Category(
    "publishing",
    {"en": "What was sent, when, and what the network answered", "zh": "发送内容、时间及平台的答复"},
    {"en": "To publish once and to prove it", "zh": "确保只发布一次并可证明"},
    CONTRACT,
    NETWORKS,
)
CONNECTIONS = Category(
    "connections",
    {"en": "Accounts you connect on X and Telegram", "zh": "您连接的 X 和 Telegram 账户"},
    {"en": "To publish in your name", "zh": "以您的名义发布"},
    CONTRACT,
    NETWORKS,
)
MESSAGES = Category(
    "messages",
    {"en": "What our Telegram bots hear: messages, names, ids", "zh": "Telegram 机器人收到的消息、名称和编号"},
    {"en": "To answer commands and to notice answers", "zh": "用于响应指令和回复"},
    INTEREST,
    {"en": "Telegram; members of the workspace concerned", "zh": "Telegram；相关工作区的成员"},
)
CONTACTS = Category(
    "contacts",
    {"en": "People a workspace talks to, and what they agreed to", "zh": "工作区的联系人及其同意事项"},
    {"en": "To write only to those who want it", "zh": "只联系愿意接收的人"},
    CONSENT,
    MEMBERS,
)
NEWS = Category(
    "news",
    {"en": "Notifications and alerts", "zh": "通知与提醒"},
    {"en": "To tell you what needs attention", "zh": "告知需要处理的事项"},
    INTEREST,
    US_ONLY,
)
AUDIT = Category(
    "audit",
    {"en": "Who decided what, and when", "zh": "谁在何时作出何种决定"},
    {"en": "To prove decisions and to find misuse", "zh": "证明决定并发现滥用"},
    INTEREST,
    MEMBERS,
)
RULES = Category(
    "rules",
    {"en": "Rules, word lists and what they found", "zh": "规则、词表及检查结果"},
    {"en": "To keep what is published lawful and safe", "zh": "确保发布内容合法、安全"},
    INTEREST,
    MEMBERS,
)
COSTS = Category(
    "costs",
    {"en": "What calls to paid networks cost", "zh": "付费平台调用的费用"},
    {"en": "To keep within budgets", "zh": "控制预算"},
    CONTRACT,
    MEMBERS,
)
PRIVACY = Category(
    "privacy",
    {"en": "Your requests about your data, and our answers", "zh": "您关于个人数据的请求及我们的答复"},
    {"en": "To prove that we answered in time", "zh": "证明我们已按时答复"},
    DUTY,
    US_ONLY,
)
OPERATION = Category(
    "operation",
    {"en": "Schedules, limits and states of the installation", "zh": "系统的计划任务、限额和状态"},
    {"en": "To run the service", "zh": "维持服务运行"},
    INTEREST,
    US_ONLY,
)
ASSISTANTS = Category(
    "assistants",
    {
        "en": "What you ask assistants, what they answer, remember and did",
        "zh": "您对助手的提问，助手的回答、记忆和操作",
    },
    {"en": "To draft, to answer and to show how a text came about", "zh": "用于起草、回答并说明文本的来源"},
    CONTRACT,
    {
        "en": "Members of the same workspace; the model providers that the workspace or the installation uses",
        "zh": "同一工作区的成员；工作区或系统所使用的模型服务商",
    },
)
INBOX = Category(
    "inbox",
    {"en": "What people write to connected accounts, and the answers", "zh": "他人发给已连接账户的消息及回复"},
    {"en": "To answer those who write", "zh": "用于回复来信者"},
    INTEREST,
    NETWORKS,
)
MEASURES = Category(
    "measures",
    {
        "en": "Numbers of posts, clicks and conversions, by a digest that names nobody; experiments, reports",
        "zh": "帖子数据、短链接点击和转化（以不指向任何人的摘要记录）；实验与报告",
    },
    {"en": "To show what a campaign did and earned", "zh": "用于展示活动的效果与收益"},
    INTEREST,
    MEMBERS,
)
