import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketing.settings")
application = get_wsgi_application()

from compliance.rulesets import warm_up  # noqa: E402 (apps are ready only now)

warm_up()
