from campaigns.models.agent import Origin, Plan, PlanLine
from campaigns.models.campaign import AutonomyPolicy, Campaign
from campaigns.models.delivery import Attempt, Delivery, LiveChange, LivePart, MediaUpload
from campaigns.models.inbox import Conversation, InboxCursor, InboxMessage
from campaigns.models.log import HourlyRollup, LinkCheck, PublishingLog
from campaigns.models.plan import Import, Recurrence, Slot
from campaigns.models.post import MediaAsset, PartMedia, Post, PostPart
from campaigns.models.prompt import ReviewPrompt
from campaigns.models.source import Source, SourceConnection, SourceItem
from campaigns.models.writing import ComposerDraft, PostVersion, Snippet

__all__ = [
    "Attempt",
    "AutonomyPolicy",
    "Campaign",
    "ComposerDraft",
    "Conversation",
    "Delivery",
    "HourlyRollup",
    "Import",
    "InboxCursor",
    "InboxMessage",
    "LinkCheck",
    "LiveChange",
    "LivePart",
    "MediaAsset",
    "MediaUpload",
    "Origin",
    "PartMedia",
    "Plan",
    "PlanLine",
    "Post",
    "PostPart",
    "PostVersion",
    "PublishingLog",
    "Recurrence",
    "ReviewPrompt",
    "Slot",
    "Snippet",
    "Source",
    "SourceConnection",
    "SourceItem",
]
