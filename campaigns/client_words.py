"""What the page of a client says, in its languages."""

from django.http import HttpRequest

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "lang": "en",
        "heading": "For your approval",
        "for": "For",
        "by": "from",
        "until": "This link works until",
        "exactly": "This is exactly what will be sent. Any change asks you again.",
        "planned": "Planned for",
        "no_time": "No time yet",
        "your_name": "Your name",
        "reason": "What should change, or why it should wait",
        "approve": "Approve",
        "changes": "Request changes",
        "hold": "Put on hold",
        "resume": "Take off hold",
        "held_by_you": "You put this on hold.",
        "held": "The team has put this on hold.",
        "none_title": "Nothing waits for you",
        "none_text": "New posts appear here as soon as they are ready.",
        "decided": "Decided by you",
        "approved": "Approved",
        "changed": "Changes requested",
        "media": "Description of the file",
        "done_approve": "Approved. Thank you.",
        "done_changes": "Sent back. The team reads what should change.",
        "done_hold": "On hold. It is not sent before it is taken off.",
        "done_resume": "It waits for a decision again.",
        "stale": "This changed or was decided meanwhile. Look at it again.",
        "needs_name": "Type your name, so that the team knows who decided.",
        "needs_reason": "Say why, so that the team knows what to do.",
        "forbidden": "A rule forbids this now. The team has to change it first.",
        "busy": "Somebody of the team is looking at this right now. Try again in some minutes.",
        "on_hold": "This is on hold, so it cannot be approved now.",
        "not_allowed": "This workspace wants somebody else to approve it.",
        "unknown_title": "This link does not work",
        "unknown_text": "Check that you opened all of it, or ask for a new one.",
        "ended_title": "This link has ended",
        "ended_text": "It ran out or was closed. Ask whoever sent it for a new one.",
        "too_many_title": "Too many requests",
        "too_many_text": "Wait a minute, then open the link again.",
    },
    "zh": {
        "lang": "zh-Hans",
        "heading": "请您审批",
        "for": "致",
        "by": "来自",
        "until": "链接有效期至",
        "exactly": "以下就是将要发布的全部内容。任何改动都会再次请您确认。",
        "planned": "计划发布时间",
        "no_time": "尚未安排时间",
        "your_name": "您的姓名",
        "reason": "需要修改的地方，或暂缓的原因",
        "approve": "批准",
        "changes": "要求修改",
        "hold": "暂缓",
        "resume": "取消暂缓",
        "held_by_you": "您已将此内容暂缓。",
        "held": "团队已将此内容暂缓。",
        "none_title": "目前没有待您审批的内容",
        "none_text": "新内容准备好后会显示在这里。",
        "decided": "您已处理",
        "approved": "已批准",
        "changed": "已要求修改",
        "media": "文件说明",
        "done_approve": "已批准，谢谢。",
        "done_changes": "已退回，团队会看到您的修改意见。",
        "done_hold": "已暂缓，取消暂缓前不会发布。",
        "done_resume": "已恢复，等待审批。",
        "stale": "内容已有变动或已处理，请重新查看。",
        "needs_name": "请填写您的姓名，以便团队知道由谁决定。",
        "needs_reason": "请说明原因，以便团队处理。",
        "forbidden": "目前有规则禁止发布此内容，需要团队先修改。",
        "busy": "团队成员正在处理此内容，请几分钟后再试。",
        "on_hold": "此内容处于暂缓状态，现在不能批准。",
        "not_allowed": "此工作区要求由其他人审批。",
        "unknown_title": "链接无效",
        "unknown_text": "请确认链接完整，或向发送人索取新链接。",
        "ended_title": "链接已失效",
        "ended_text": "链接已过期或被关闭，请向发送人索取新链接。",
        "too_many_title": "请求过多",
        "too_many_text": "请稍等一分钟，再打开链接。",
    },
}


def language_of(request: HttpRequest) -> str:
    """The first language of Accept-Language that we speak, by its weight; English otherwise."""
    wanted = []
    for entry in request.headers.get("Accept-Language", "").split(",")[:20]:
        name, _, weight = entry.partition(";q=")
        try:
            wanted.append((float(weight or 1), name.strip().lower().split("-")[0]))
        except ValueError:
            continue
    ranked = sorted(wanted, key=lambda one: -one[0])
    return next((name for weight, name in ranked if weight > 0 and name in WORDS), "en")
