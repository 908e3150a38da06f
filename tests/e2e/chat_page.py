"""The chat in a browser, with the few gestures every test makes."""

from dataclasses import dataclass, field

from playwright.sync_api import Locator, Page, expect


@dataclass
class ChatPage:
    """The page with the few gestures every test makes."""

    page: Page
    url: str
    requests: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    @property
    def outside(self) -> list[str]:
        """Addresses asked for that are not the page's own."""
        own = (self.url, "data:", "blob:", "about:")
        return [address for address in self.requests if not address.startswith(own)]

    @property
    def box(self) -> Locator:
        return self.page.get_by_role("textbox", name="输入问题")

    @property
    def turn(self) -> Locator:
        """The latest turn."""
        return self.page.locator(".turn").last

    def ask(self, question: str) -> Locator:
        self.box.fill(question)
        self.page.get_by_role("button", name="发送").click()
        return self.turn

    def finished(self) -> Locator:
        """The latest turn, once its answer is complete."""
        expect(self.turn).to_have_attribute("data-phase", "finished")
        return self.turn
