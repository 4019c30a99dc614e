import pytest

from analytics.models import Conversion, LinkDomain
from analytics.tracking.conversions import book


@pytest.mark.parametrize("name", ["link", "linkdomain", "conversion"])
def test_staff_look_at_links_domains_and_conversions(staff_client, in_workspace, workspace, link, name) -> None:
    LinkDomain.objects.create(workspace=workspace, host="go.acme.example", token="t")
    book(workspace, key="A-1", source=Conversion.Source.CSV)
    page = staff_client.get(f"/admin/analytics/{name}/?q=")
    assert page.status_code == 200
    assert {"link": link.code, "linkdomain": "go.acme.example", "conversion": "A-1"}[name] in page.content.decode()
    assert staff_client.get(f"/admin/analytics/{name}/add/").status_code == 403
