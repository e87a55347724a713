"""Every route about customers."""

from services.collab.customers.consents import routes as consents
from services.collab.customers.contacts import routes as contacts
from services.collab.customers.need_kinds import routes as need_kinds
from services.collab.customers.needs import routes as needs
from services.collab.customers.preferences import routes as preferences
from services.collab.customers.profiles import routes as profiles
from services.collab.customers.satisfaction import routes as satisfaction

ROUTERS = (
    profiles.router,
    need_kinds.router,
    needs.router,
    preferences.router,
    consents.router,
    contacts.router,
    satisfaction.router,
)
