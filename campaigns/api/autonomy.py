"""/api/campaigns/{id}/policy: how far a campaign's posts may go without a person."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.rest import WorkspaceView
from campaigns.access import get_campaign
from campaigns.api.answers import Data, valid
from campaigns.autonomy import RISKS, is_genuine, open_policy, revoke_policy, sign_policy, signer_of
from campaigns.models import AutonomyPolicy, Campaign

Mode = AutonomyPolicy.Mode


class PolicyInput(serializers.Serializer[Any]):
    mode = serializers.ChoiceField(Mode.choices)
    max_risk = serializers.ChoiceField(
        [risk.value for risk in RISKS], default=RISKS[0].value, help_text="What is above it waits for a person."
    )
    budget_micro = serializers.IntegerField(
        min_value=0, default=0, help_text="For network costs in all, in millionths of a US dollar."
    )


class PolicyAnswer(serializers.Serializer[Any]):
    mode = serializers.ChoiceField(Mode.choices, help_text="Without a policy, a person approves.")
    max_risk = serializers.CharField(allow_null=True)
    budget_micro = serializers.IntegerField(allow_null=True)
    spent_micro = serializers.IntegerField(allow_null=True)
    signed_by = serializers.CharField(allow_null=True, help_text="Null where nobody signed one.")
    signed_at = serializers.DateTimeField(allow_null=True)
    holds = serializers.BooleanField(
        help_text="False where there is none, it is not what was signed, or its signer may no longer approve."
    )


NOBODYS: Data = dict.fromkeys(PolicyAnswer().fields) | {"mode": Mode.HUMAN.value, "holds": False}


def policy_data(policy: AutonomyPolicy | None) -> Data:
    if policy is None:
        return NOBODYS
    same = {name: getattr(policy, name) for name in ("mode", "max_risk", "budget_micro", "spent_micro", "signed_at")}
    holds = is_genuine(policy) and signer_of(policy) is not None
    return {**same, "signed_by": policy.signed_label, "holds": holds}


class PolicyView(WorkspaceView):
    @extend_schema(
        operation_id="campaign_policy",
        tags=["campaigns"],
        summary="How far its posts may go without a person",
        responses=PolicyAnswer,
    )
    def get(self, request: Request, campaign_id: UUID) -> Response:
        return Response(policy_data(open_policy(self._campaign(campaign_id).pk)))

    @extend_schema(
        operation_id="campaign_policy_sign",
        tags=["campaigns"],
        summary="Sign a policy in your own name; it takes the place of the one before",
        description="Only people sign. Approvals by the one before end with it.",
        request=PolicyInput,
        responses=PolicyAnswer,
    )
    def put(self, request: Request, campaign_id: UUID) -> Response:
        campaign = self._campaign(campaign_id)
        self.actor.require(Perm.REVIEW)
        return Response(policy_data(sign_policy(campaign, by=self.actor, **valid(PolicyInput(data=request.data)))))

    @extend_schema(
        operation_id="campaign_policy_revoke",
        tags=["campaigns"],
        summary="End the policy at once; a person approves everything from now on",
        responses={204: None},
    )
    def delete(self, request: Request, campaign_id: UUID) -> Response:
        revoke_policy(self._campaign(campaign_id), by=self.actor)
        return Response(status=204)

    def _campaign(self, campaign_id: UUID) -> Campaign:
        campaign = get_campaign(self.actor, campaign_id)
        # A guest sees a shared campaign, not how the team works.
        self.actor.require(Perm.VIEW)
        return campaign
