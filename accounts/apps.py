from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from allauth.account.decorators import secure_admin_login
        from django.contrib import admin

        from accounts import inventory_own  # noqa: F401  (declares the models)

        # Staff log in where everybody does: with two factors and the limits on wrong passwords.
        admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
