from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from accounts.scope import all_workspaces_scope
from compliance.models import Contact
from compliance.privacy.erase import erase_contact, erase_user, require_erasable


class Command(BaseCommand):
    help = "Erase an account, or a contact of a workspace, for good. Prints what it changed, and asks before."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--contact-of", metavar="SLUG", help="a contact of this workspace, not an account")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            counts = self._erase(options["email"], options["contact_of"], options["yes"])
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        for label, count in sorted(counts.items()):
            self.stdout.write(f"{label}: {count}")
        self.stdout.write(self.style.SUCCESS("Erased."))

    def _erase(self, email: str, slug: str | None, is_sure: bool) -> dict[str, int]:
        if slug:
            with all_workspaces_scope("find a contact to erase"):
                contact = Contact.objects.filter(workspace__slug=slug, email__iexact=email).first()
            if contact is None:
                raise CommandError(f"{slug} has no contact {email}.")
            self._ask(f"the contact {email} of {slug}", is_sure)
            return erase_contact(contact)
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            raise CommandError(f"There is no account {email}.")
        require_erasable(user)
        self._ask(f"the account {email}", is_sure)
        return erase_user(user)

    def _ask(self, what: str, is_sure: bool) -> None:
        if not is_sure and input(f"Erase {what} for good? Type yes: ").strip() != "yes":
            raise CommandError("Nothing was erased.")
