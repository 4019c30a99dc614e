from django.db import migrations

from accounts.tenancy import POLICY, SecureTenantTables

# Tables that name their workspace without a key to it: rows come by the million.
PLAIN = ("analytics_event", "analytics_event_default", "analytics_hourrollup", "analytics_dayrollup", "analytics_visitorday")
SECURE = "".join(
    f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY;"
    f"CREATE POLICY tenant ON {table} USING ({POLICY}) WITH CHECK ({POLICY});"
    for table in PLAIN
)
OPEN = "".join(
    f"DROP POLICY tenant ON {table}; ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY;"
    f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;"
    for table in PLAIN
)


class Migration(migrations.Migration):
    dependencies = [("analytics", "0001_initial")]

    operations = [
        SecureTenantTables(
            "Tracking:pixel_key",
            "LinkDomain",
            "UtmTemplate",
            "Link:code",
            "Exposure",
            "Conversion",
            "MeasuredPost",
            "Snapshot",
            "FollowerCount",
            "MediaCost",
            "Target",
            "Funnel",
            "Segment",
            "ReportSchedule",
            "Report",
            "SharedPage:token_hash",
            "Anomaly",
        ),
        migrations.RunSQL(SECURE, OPEN),
    ]
