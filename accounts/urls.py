from django.urls import path

from accounts.views import audit, invitations, keys, members, people, plan, workspaces

app_name = "accounts"
urlpatterns = [
    path("workspaces/new", workspaces.new_workspace, name="workspace-new"),
    path("workspaces/switch", workspaces.switch_workspace, name="workspace-switch"),
    path("theme", workspaces.set_theme, name="theme"),
    path("settings", workspaces.workspace_settings, name="settings"),
    path("stop", workspaces.stop, name="stop"),
    path("release", workspaces.release, name="release"),
    path("settings/members", members.member_list, name="members"),
    path("settings/members/invite", members.invite, name="member-invite"),
    path("settings/members/<int:member_id>/role", members.set_role, name="member-role"),
    path("settings/members/<int:member_id>/remove", members.remove, name="member-remove"),
    path("settings/invitations/<int:invitation_id>/withdraw", members.withdraw_invitation, name="invitation-withdraw"),
    path("settings/keys", keys.key_list, name="keys"),
    path("settings/keys/<uuid:key_id>/revoke", keys.revoke, name="key-revoke"),
    path("settings/plan", plan.plan, name="plan"),
    path("settings/plan/choose", plan.choose_plan, name="plan-choose"),
    path("hooks/billing", plan.billing_hook, name="billing-hook"),
    path("settings/audit", audit.audit_trail, name="audit"),
    path("settings/audit/export", audit.audit_export, name="audit-export"),
    path("profile", people.profile, name="profile"),
    path("notifications", people.notification_list, name="notifications"),
    path("notifications/read", people.read_notifications, name="notifications-read"),
    path("invitations/<str:token>", invitations.invitation, name="invitation"),
]
