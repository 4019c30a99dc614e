"""The words of the page of choices, in the languages of the people we write to."""

TEXTS = {
    "en": {
        "title": "Your choices",
        "intro": "What {workspace} may use your data for. You can change it at any time; it works at once.",
        "agreed": "You agreed",
        "withdrawn": "You withdrew",
        "objected": "You objected",
        "withdraw": "Withdraw",
        "give": "Agree again",
        "told": "What you were told",
        "nothing": "You have agreed to nothing here.",
        "stop": "Stop everything",
        "stop_text": "With one click, nobody of {workspace} writes to you any more, for any purpose.",
        "stopped": "You objected to everything. Nobody of {workspace} writes to you unless you agree again.",
        "saved": "Saved. It holds from now on.",
        "gpc": "Your browser asks not to be tracked (Global Privacy Control). We wrote that down as an objection "
        "to sale, sharing and profiling.",
        "restricted": "The use of your data is restricted at the moment: nothing is sent.",
        "wrong": "This choice is not one of yours. Nothing was changed.",
        "no_cookies": "This page needs no log-in and sets no cookies.",
        "other": "中文",
    },
    "zh": {
        "title": "您的选择",
        "intro": "{workspace} 可以将您的数据用于以下用途。您可以随时更改，立即生效。",
        "agreed": "已同意",
        "withdrawn": "已撤回",
        "objected": "已拒绝",
        "withdraw": "撤回同意",
        "give": "重新同意",
        "told": "告知内容",
        "nothing": "您在此没有同意过任何用途。",
        "stop": "全部停止",
        "stop_text": "一键停止：{workspace} 将不再以任何用途联系您。",
        "stopped": "您已拒绝所有用途。除非您重新同意，{workspace} 不会再联系您。",
        "saved": "已保存，即刻生效。",
        "gpc": "您的浏览器发出了全球隐私控制信号（GPC）。我们已记录您拒绝出售、共享和画像。",
        "restricted": "您的数据目前被限制使用：不会向您发送任何内容。",
        "wrong": "这不是您的选项，未作任何更改。",
        "no_cookies": "本页面无需登录，也不设置 Cookie。",
        "other": "English",
    },
}
CHANNELS = {
    "en": {"email": "by e-mail", "phone": "by phone", "sms": "by text message", "post": "by post", "x": "on X",
           "telegram": "on Telegram", "web": "on the web"},
    "zh": {"email": "电子邮件", "phone": "电话", "sms": "短信", "post": "邮寄", "x": "X", "telegram": "Telegram",
           "web": "网页"},
}  # fmt: skip
PURPOSES = {
    "zh": {
        "newsletter": "新闻简报",
        "marketing": "营销",
        "profiling": "画像",
        "analytics": "分析",
        "sharing": "共享",
        "sale": "出售",
    },
}


def texts_for(language: str, workspace: str) -> dict[str, str]:
    return {name: text.format(workspace=workspace) for name, text in TEXTS[language].items()}


def purpose_name(purpose: str, language: str) -> str:
    plain = purpose.replace("-", " ").replace("_", " ").capitalize()
    return PURPOSES.get(language, {}).get(purpose, plain)


def channel_name(channel: str, language: str) -> str:
    return CHANNELS[language].get(channel, channel)
