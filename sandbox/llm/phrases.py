"""The writer's stock of sentences. None of them claims anything."""

OPENERS = {
    "en": (
        "Meet {s}.",
        "Say hello to {s}.",
        "Good news: {s} is ready for you.",
        "Have you seen {s} yet?",
        "Today we are talking about {s}.",
        "A little something for your week: {s}.",
        "Made for people like you: {s}.",
        "Curious about {s}?",
        "Here is why we like {s}.",
    ),
    "zh": (
        "{s}来了。",
        "认识一下{s}。",
        "好消息：{s}已经准备好了。",
        "今天想和你分享{s}。",
        "{s}，等你来看看。",
        "你留意过{s}吗？",
        "为认真生活的你准备：{s}。",
        "这一周，从{s}开始。",
    ),
}
MIDDLES = {
    "en": (
        "Made with care, and happy to be shared.",
        "Small things can make a day better.",
        "We thought of you when we put it together.",
        "It takes a minute to look and longer to forget.",
        "Come as you are, stay as long as you like.",
    ),
    "zh": (
        "用心准备，期待与你分享。",
        "一点小小的心意，让平常的日子多一点期待。",
        "我们认真做，你慢慢看。",
        "愿它给你的一天添一点好心情。",
    ),
}
CLOSERS = {
    "en": (
        "Take a look.",
        "Come and see.",
        "Tell us what you think.",
        "Which one would you pick?",
        "Save it for later.",
    ),
    "zh": ("欢迎来看看。", "说说你的想法吧。", "欢迎留言告诉我们。", "先收藏，慢慢看。"),
}
REPLIES: dict[str, dict[str, tuple[str, ...]]] = {
    "praise": {
        "en": ("Thank you, that made our day!", "So kind of you, thank you for telling us!"),
        "zh": ("谢谢你的喜欢，看到很开心！", "感谢支持，你的鼓励对我们很重要！"),
    },
    "complaint": {
        "en": (
            "We are sorry about this. Please send us your order number in a message and we will look into it.",
            "Sorry for the trouble. Tell us what happened in a message, and a colleague will take care of it.",
        ),
        "zh": (
            "很抱歉给你带来不便，请私信告诉我们订单号，我们马上跟进。",
            "抱歉让你失望了，请私信说明情况，同事会尽快处理。",
        ),
    },
    "question": {
        "en": (
            "Thank you for asking. We will check and come back to you.",
            "Good question. A colleague will answer it shortly.",
        ),
        "zh": ("谢谢提问，我们确认后尽快回复你。", "好问题，同事会尽快给你答复。"),
    },
    "request": {
        "en": ("Gladly. A colleague will take care of it and come back to you.", "Of course, we are on it."),
        "zh": ("好的，同事会尽快为你处理。", "没问题，我们马上跟进。"),
    },
    "opt_out": {
        "en": ("Understood, we will not write to you again.",),
        "zh": ("收到，我们不会再给你发消息。",),
    },
    "data_request": {
        "en": ("We have passed your request on to the person responsible for data protection, who will answer you.",),
        "zh": ("已收到你的请求，负责数据保护的同事会答复你。",),
    },
    "are_you_a_bot": {
        "en": (
            "This reply was drafted by an AI assistant and checked by a person. You can ask for a person at any time.",
        ),
        "zh": ("这条回复由AI助手起草、真人审核，你可以随时要求人工服务。",),
    },
    "remember_request": {
        "en": ("Thank you for telling us, we have made a note.",),
        "zh": ("谢谢告知，已经记下。",),
    },
    "other": {
        "en": ("Thank you for your message!", "Thanks for stopping by!"),
        "zh": ("谢谢留言！", "感谢关注！"),
    },
}
GOALS = {"en": "Make people curious and bring them to the page.", "zh": "引起兴趣，让更多人了解。"}
AUDIENCES = {"en": "People who already follow us and their friends", "zh": "已经关注我们的人和他们的朋友"}
RATIONALES = {
    "en": "It says one thing about {s}, in plain words, and ends with an invitation.",
    "zh": "围绕{s}只说一件事，语言平实，最后发出邀请。",
}
ANGLES = {
    "en": ("Opens with the offer", "Opens with a question", "Shorter", "Speaks to one person"),
    "zh": ("先说优惠", "以提问开头", "更短", "像对一个人说话"),
}
GREETINGS = {
    "en": "Hello! Tell me what you would like to promote, or ask what I can find in your documents.",
    "zh": "你好！告诉我你想推广什么，或者问我能在资料里找到什么。",
}
NOTES = {"en": "Nothing stands out.", "zh": "没有发现问题。"}
NAMELESS = {"en": "our latest news", "zh": "我们的新消息"}
NO_ANSWER = {
    "en": "I have found nothing about this in what I was given. I am the sandbox's plain writer and know nothing else.",
    "zh": "我在已有的资料里没有找到相关内容。我是沙盒里的简单写手，不知道别的。",
}
