"""People of the journeys: staff with a session of their own, and patients with a phone and a mailbox."""

import contextlib
import json
import re
from typing import Any
from urllib.parse import urljoin

import lxml.html
import requests
from websockets.sync.client import ClientConnection, connect

from contact_center.accounts.models import User
from tests.factories.accounts import PASSWORD
from tests.journeys.stack import Stack
from tests.simulator.fixtures import wait_for


class Page:
    """An answer of the web server, read as a person reads it."""

    def __init__(self, response: requests.Response) -> None:
        self.response, self.status = response, response.status_code
        self.tree = lxml.html.fromstring(response.text) if response.text else lxml.html.Element("html")

    def texts(self, path: str) -> list[str]:
        """The words of every element at this XPath."""
        return [" ".join(element.text_content().split()) for element in self.tree.xpath(path)]

    def text(self, path: str) -> str:
        """The words of the only element at this XPath."""
        (found,) = self.texts(path)
        return found

    def of_class(self, name: str) -> list[str]:
        """The words of every element of a class."""
        return self.texts(f"//*[contains(concat(' ', normalize-space(@class), ' '), ' {name} ')]")

    def notices(self) -> list[str]:
        """What the page says has just happened."""
        return self.texts("//*[@id='toasts']//span[@class='grow']")

    def value(self, name: str) -> str:
        """What a form field holds."""
        element = self.tree.xpath(f"//*[@name='{name}']")[0]
        # A browser drops the line end that follows <textarea>; lxml keeps it.
        return (element.value or "").removeprefix("\n" if element.tag == "textarea" else "")


class Staff:
    """Somebody signed in through the sign-in page, without JavaScript."""

    def __init__(self, stack: Stack, user: User) -> None:
        self.stack, self.user = stack, user
        self.http = requests.Session()
        self.http.headers["Origin"] = stack.web_url
        self.get("/accounts/login/")
        page = self.post("/accounts/login/", login=user.email, password=PASSWORD)
        assert page.response.url == f"{stack.web_url}/inbox/", page.of_class("field__error")

    def get(self, path: str, **headers: str) -> Page:
        """One page. Raises AssertionError with the server's log for a 500."""
        return self._read(self.http.get(urljoin(self.stack.web_url, path), headers=headers, timeout=120))

    def post(self, path: str, **fields: Any) -> Page:
        """Send a form, with its protection, and read the page that follows."""
        token = self.http.cookies.get("csrftoken", "")
        answer = self.http.post(
            urljoin(self.stack.web_url, path), data={"csrfmiddlewaretoken": token, **fields}, timeout=120
        )
        return self._read(answer)

    def _read(self, answer: requests.Response) -> Page:
        assert answer.status_code < 500, self.stack.log_of("web")[-4000:]
        return Page(answer)

    def reply(self, interaction_id: int, text: str, mode: str, **fields: Any) -> Page:
        """Open the conversation and answer in it."""
        page = self.get(f"/inbox/{interaction_id}/")
        hidden = {name: page.value(name) for name in ("form_key", "seen_message_id")}
        return self.post(f"/inbox/{interaction_id}/compose/", mode=mode, text=text, **hidden | fields)

    def wrap_up(self, interaction_id: int, **fields: Any) -> Page:
        """Open the form and send it."""
        page = self.get(f"/inbox/{interaction_id}/wrap-up/")
        return self.post(f"/inbox/{interaction_id}/wrap-up/", seen_message_id=page.value("seen_message_id"), **fields)

    def socket(self) -> "Socket":
        """A live socket as the page opens it."""
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.http.cookies)
        return Socket(
            connect(
                f"{self.stack.live_url}/ws/live/",
                origin=self.stack.web_url,
                additional_headers={"Cookie": cookies},
                open_timeout=60,
                legacy=True,  # hung up by `close`, not by the end of a block
            )
        )


class Socket:
    """What the page's script does with its socket."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def subscribe(self, *topics: str) -> dict[str, Any]:
        """Ask for topics; the answer of the server by its kind."""
        self.connection.send(json.dumps({"subscribe": dict.fromkeys(topics, 0)}))
        return self.hear()

    def hear(self, seconds: float = 10.0) -> dict[str, Any]:
        """The next message. Raises TimeoutError when none comes."""
        return json.loads(self.connection.recv(timeout=seconds))

    def silence(self, seconds: float) -> bool:
        """Whether nothing comes for so long."""
        try:
            self.connection.recv(timeout=seconds)
        except TimeoutError:
            return True
        return False

    def close(self) -> None:
        """Hang up."""
        self.connection.close()


class Phone:
    """A patient with a phone number and a mailbox, using the simulator's page."""

    def __init__(self, stack: Stack, number: str, name: str, email: str = "") -> None:
        self.stack, self.number, self.name, self.email = stack, number, name, email

    def write(self, text: str, tab: str = "whatsapp", **more: Any) -> None:
        """Send a WhatsApp message or an SMS."""
        form = {"phone": self.number, "name": self.name, "tab": tab, "body": text}
        self._post("/_phone/send", form, more.get("file"))

    def mail(self, subject: str, body: str, *, answers: bool = False, file: Any = None) -> None:
        """Write to the clinic; `answers` replies to the newest mail of the clinic."""
        form = {"email": self.email, "name": self.name, "tab": "email", "subject": subject, "body": body}
        if answers:
            page = self.page(tab="email")
            newest = page.tree.xpath("//a[@class='mail']/@href")[0]
            form["replied_to"] = Page(requests.get(self.stack.simulator.url + newest, timeout=120)).value("replied_to")
        self._post("/_phone/mail", form, file)

    def _post(self, path: str, form: dict[str, str], file: Any) -> None:
        answer = requests.post(
            self.stack.simulator.url + path,
            data=form,
            files={"file": file} if file else None,
            headers={"X-Requested-With": "fetch"},
            timeout=120,
        )
        assert answer.json() == {"error": ""}

    def page(self, tab: str = "whatsapp") -> Page:
        """The phone's screen."""
        query = {"phone": self.number, "email": self.email, "name": self.name, "tab": tab}
        return Page(requests.get(f"{self.stack.simulator.url}/", params=query, timeout=120))

    def bubbles(self, tab: str = "whatsapp") -> list[tuple[str, str, str]]:
        """(whose, text, ticks) of every message on the screen, oldest first."""
        found = []
        for bubble in self.page(tab).tree.xpath("//div[starts-with(@class, 'say') and @data-sid]"):
            (inner,) = bubble.xpath("./div[starts-with(@class, 'say__bubble')]")
            (ticks,) = inner.xpath(".//*[@class='ticks']/@data-state")
            foot = inner.xpath(".//*[@class='say__foot']")[0]
            tail = re.escape(" ".join(foot.text_content().split()))
            words = re.sub(f" ?{tail}$", "", " ".join(inner.text_content().split()))
            found.append(("mine" if "say--mine" in bubble.get("class") else "clinic", words, ticks))
        return found

    def until_told(self, beginning: str) -> str:
        """Wait for a text message of the clinic that begins so; its words."""

        def found() -> list[str]:
            told = [words for whose, words, _ticks in self.bubbles("sms") if whose == "clinic"]
            return [words for words in told if words.startswith(beginning)]

        return wait_for(found, 30)[-1]

    def next_day(self) -> None:
        """Press the button that lets a day of the clinic pass."""
        self._post("/_phone/next-day", {"phone": self.number, "name": self.name, "tab": "sms"}, None)

    def until_shows(self, *wanted: tuple[str, str, str], tab: str = "whatsapp") -> None:
        """Wait until the screen shows exactly these messages."""
        with contextlib.suppress(AssertionError):
            wait_for(lambda: self.bubbles(tab) == list(wanted))
        shown = self.bubbles(tab)
        assert shown == list(wanted), f"the phone shows {shown}"
