"""The workflows whose rows are this app's. `register_workflows` is called by its apps.py."""

from agents.workflows.registry import Workflow, register


def register_workflows() -> None:
    from campaigns.workflows import campaign, drafts, enhance, insights

    text = {"type": "string"}
    register(Workflow("campaign", "Campaign", campaign.run_campaign, schema=_object(plan=text), is_inner=True))
    line = _object(line=text, wish=text)
    register(Workflow("plan_line", "Line of a plan", campaign.run_line, schema=line, is_inner=True))
    register(Workflow("draft", "Drafts", drafts.run_drafts, schema=drafts.INPUT, is_private=True))
    register(
        Workflow(
            "enhance",
            "Better texts for a source",
            enhance.run_enhance,
            schema=_object(post=text, revision={"type": "integer"}),
            is_inner=True,
        )
    )
    register(Workflow("audience", "Audience", insights.run_audience, schema=_object()))
    register(Workflow("timing", "Times to post", insights.run_timing, schema=_object(), perm="view"))


def _object(**properties: dict[str, str]) -> dict[str, object]:
    return {"type": "object", "properties": properties, "required": list(properties)}
