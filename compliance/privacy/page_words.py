"""The words of the public privacy page that do not come from the inventory."""

WORDS = {
    "en": {
        "title": "Privacy",
        "lead": "What is kept, why, on what legal ground, for how long, and who else sees it. "
        "This page is made from the same list that our exports, erasures and clean-ups follow.",
        "what": "What",
        "why": "Why",
        "basis": "Legal ground",
        "keep": "How long",
        "who": "Who else sees it",
        "cookies": "Cookies",
        "cookies_text": "This page, and every page you can read without logging in, sets none. Logging in sets one "
        "for your session and one against forged forms. If you choose a light or dark look, one remembers it. "
        "Nothing is tracked, nothing is sold, and no other company is loaded into our pages.",
        "rights": "Your rights",
        "rights_text": "You may have a copy of your data, have it corrected or erased, have its use paused, and "
        "object. We answer within 30 days (45 in California). You may complain to a data protection authority.",
        "account": "With an account, use",
        "own_page": "your privacy page",
        "contact": "If a workspace wrote to you, use the link in its message, or ask the workspace: it decides about "
        "your data, and can answer from here.",
        "machines": "Decisions by machines",
        "machines_text": "Rules check what is to be published, never people. A person approves, or signs a policy that "
        "says what may go out without one.",
    },
    "zh": {
        "title": "隐私",
        "lead": "我们保存什么、为何保存、法律依据、保存多久以及还有谁能看到。"
        "本页与数据导出、删除和定期清理使用同一份清单。",
        "what": "内容",
        "why": "目的",
        "basis": "法律依据",
        "keep": "保存时间",
        "who": "还有谁能看到",
        "cookies": "Cookie",
        "cookies_text": "本页以及所有无需登录即可阅读的页面都不设置 Cookie。登录后会设置一个会话 Cookie "
        "和一个防伪造 Cookie；选择浅色或深色外观时会记住该选择。我们不跟踪、不出售数据，也不加载其他公司的内容。",
        "rights": "您的权利",
        "rights_text": "您可以获取数据副本，要求更正、删除或暂停使用，并可提出反对。"
        "我们在 30 天内答复（加州为 45 天）。您也可以向数据保护机构投诉。",
        "account": "如有账户，请使用",
        "own_page": "您的隐私页面",
        "contact": "如果某个工作区联系过您，请使用其消息中的链接，或直接向该工作区提出："
        "它决定您的数据如何使用，并可在此处理。",
        "machines": "自动化决定",
        "machines_text": "规则检查的是要发布的内容，而不是人。发布须经人批准，或由成员签署的策略允许。",
    },
}
