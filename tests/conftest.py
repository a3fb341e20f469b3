"""What every test may ask for: people of each role, a small desk, and a network that ends at this machine."""

import gc
import re
from functools import partial
from types import SimpleNamespace

import hypothesis
import pytest
import pytest_socket
from channels.layers import channel_layers
from django.core.cache import cache
from django.db import connection
from django.db.backends.postgresql.creation import DatabaseCreation
from django.test import Client, TransactionTestCase
from django.utils import translation
from xdist.scheduler import LoadScopeScheduling

from contact_center.accounts.enums import Role
from inbox.enums import ChannelKind
from inbox.selectors.hours import forget_setup
from inbox.selectors.voice_lines import forget_lines
from inbox.services.threads import forget_channels
from tests.emptying import empty_tables
from tests.factories.accounts import TeamFactory, UserFactory
from tests.factories.inbox import ChannelFactory, QueueFactory
from tests.template import copy_patiently, drop_template, template_of

hypothesis.settings.register_profile("house", deadline=None)  # a busy machine is no fault of an example
hypothesis.settings.load_profile("house")
SEEDED = re.compile(r"tests/aurora/test_seeding\.py")
STORIES = re.compile(r"tests/journeys/(test_|browser/test_(calls|live|stories|visits)\.py)")
TransactionTestCase._fixture_teardown = empty_tables
DatabaseCreation._execute_create_test_db = copy_patiently(DatabaseCreation._execute_create_test_db)


def pytest_runtest_setup(item):
    """Only this machine is reachable; a test that would call a provider fails instead."""
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings, request):
    """Workers copy what one of them migrated."""
    run = getattr(request.config, "workerinput", {}).get("testrunuid")
    if run and not request.config.getoption("reuse_db"):
        connection.settings_dict["TEST"]["TEMPLATE"] = template_of(run)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    node.config.add_cleanup(partial(drop_template, node.workerinput["testrunuid"]))


class StoriesOnOneWorker(LoadScopeScheduling):
    """Every test alone to whichever worker is free, but all that need the whole product running, or one seeded clinic,
    to one of them."""

    def _split_scope(self, nodeid):
        return "stories" if STORIES.match(nodeid) else "clinic" if SEEDED.match(nodeid) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return StoriesOnOneWorker(config, log)


def pytest_collection_finish(session):
    """What is loaded by now stays; the collector need not look through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(autouse=True)
def _nothing_left_in_memory():
    """Caches, channel groups and the language of one test are not seen by the next."""
    translation.deactivate()  # a request leaves its language to the thread
    cache.clear()
    channel_layers.backends.clear()
    forget_channels()
    forget_lines()
    forget_setup()
    yield
    cache.clear()
    channel_layers.backends.clear()


# ---- teams and queues: Aurora's own desk, a clinical desk, an outsourced one, and one apart ----


@pytest.fixture
def team(db):
    return TeamFactory(name="Front desk", slug="front-desk")


@pytest.fixture
def clinical_team(db):
    return TeamFactory(name="Nurse line", slug="nurse-line")


@pytest.fixture
def partner_team(db):
    return TeamFactory(name="Night partner", slug="night-partner", is_partner=True)


@pytest.fixture
def other_team(db):
    return TeamFactory(name="Billing", slug="billing")


@pytest.fixture
def queue(team, clinical_team):
    """Served by the front desk and the nurse line."""
    return QueueFactory(name="General", slug="general", teams=[team, clinical_team])


@pytest.fixture
def clinical_queue(clinical_team):
    return QueueFactory(name="Nurse line", slug="nurse-line", teams=[clinical_team])


@pytest.fixture
def partner_queue(team, partner_team):
    """Served by the front desk by day and the partner by night."""
    return QueueFactory(name="After hours", slug="after-hours", teams=[team, partner_team])


@pytest.fixture
def other_queue(other_team):
    """Served by nobody of the other fixtures but the outsider."""
    return QueueFactory(name="Billing", slug="billing", teams=[other_team])


# ---- people ----


@pytest.fixture
def agent(team):
    return UserFactory(email="agent@aurora.test", role=Role.AGENT, teams=[team])


@pytest.fixture
def second_agent(team):
    """A colleague of `agent` in the same team."""
    return UserFactory(email="second@aurora.test", role=Role.AGENT, teams=[team])


@pytest.fixture
def clinical_agent(clinical_team):
    return UserFactory(email="clinical@aurora.test", role=Role.CLINICAL_AGENT, teams=[clinical_team])


@pytest.fixture
def partner_agent(partner_team):
    return UserFactory(email="partner@aurora.test", role=Role.PARTNER_AGENT, teams=[partner_team])


@pytest.fixture
def supervisor(db):
    return UserFactory(email="supervisor@aurora.test", role=Role.SUPERVISOR)


@pytest.fixture
def admin(db):
    return UserFactory(email="admin@aurora.test", role=Role.ADMIN)


@pytest.fixture
def auditor(db):
    return UserFactory(email="auditor@aurora.test", role=Role.AUDITOR)


@pytest.fixture
def outsider(other_team, other_queue):
    """An agent whose team serves another queue."""
    return UserFactory(email="outsider@aurora.test", role=Role.AGENT, teams=[other_team])


@pytest.fixture
def everybody(agent, clinical_agent, partner_agent, supervisor, admin, auditor, outsider):
    """One person per role and the outsider, by name."""
    return SimpleNamespace(
        agent=agent,
        clinical_agent=clinical_agent,
        partner_agent=partner_agent,
        supervisor=supervisor,
        admin=admin,
        auditor=auditor,
        outsider=outsider,
    )


@pytest.fixture
def signed_in():
    """`signed_in(user)` is a browser of that person; `enforce_csrf_checks=True` makes it as strict as a real one."""

    def sign_in(user, **options):
        client = Client(**options)
        client.force_login(user, backend="contact_center.accounts.backends.PersonBackend")
        return client

    return sign_in


# ---- channels ----


@pytest.fixture
def sms_channel(queue):
    return ChannelFactory(name="Clinic SMS", kind=ChannelKind.SMS, address="+15005550100", queue=queue)


@pytest.fixture
def whatsapp_channel(queue):
    return ChannelFactory(name="Clinic WhatsApp", kind=ChannelKind.WHATSAPP, address="+15005550199", queue=queue)


@pytest.fixture
def email_channel(queue):
    return ChannelFactory(name="Clinic mail", kind=ChannelKind.EMAIL, address="care@aurora.example", queue=queue)


@pytest.fixture
def form_channel(queue):
    return ChannelFactory(name="Clinic forms", kind=ChannelKind.FORM, address="forms", queue=queue)
