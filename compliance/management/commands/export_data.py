import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User, Workspace
from compliance.privacy.erase import copy_name
from compliance.privacy.export import Copy, copy_of_person, copy_of_workspace, write_copy
from compliance.privacy.traces import traces_of_user


class Command(BaseCommand):
    help = "Write a copy of an account's or a workspace's data into the storage and print its manifest."

    def add_arguments(self, parser: ArgumentParser) -> None:
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("--email", help="of an account")
        who.add_argument("--workspace", metavar="SLUG")
        parser.add_argument("--name", help="the file's name in the storage; by default exports/<id>.zip, for 7 days")

    def handle(self, *args: Any, **options: Any) -> None:
        copy = self._copy(options["email"], options["workspace"])
        name = options["name"] or copy_name(copy.id)
        manifest = write_copy(copy, name, beat=lambda done, of: None)
        self.stdout.write(json.dumps({"file": name, **manifest}, indent=2))

    def _copy(self, email: str | None, slug: str | None) -> Copy:
        if slug:
            workspace = Workspace.objects.filter(slug=slug).first()
            if workspace is None:
                raise CommandError(f"There is no workspace {slug}.")
            return copy_of_workspace(workspace)
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            raise CommandError(f"There is no account {email}.")
        return copy_of_person(traces_of_user(user))
