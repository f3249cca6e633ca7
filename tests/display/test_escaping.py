"""Whatever a device says is text on the page, never a part of the page."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indipyclient.state.snapshots import Snap

from .page import Page, attributes, frame, member, snap_of, vector

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' style='position:fixed",
    "</td></tr></table></div><h1>",
    "<!-- --><![CDATA[<b>]]>",
    "&lt;b&gt; &amp;#60;script&amp;#62;",
    "<details open ontoggle=alert(1)>",
]
TAGS = {"div", "span", "b", "br", "table", "tbody", "tr", "td", "details", "summary", "img"}
ATTRIBUTES = {"style", "rowspan", "colspan", "open", "alt", "src"}

texts = st.text(max_size=80) | st.sampled_from(HOSTILE)


@dataclass
class Words:
    """What a device can say, in each place that there is for a text."""

    device: str
    name: str
    label: str
    group: str
    member: str
    value: str
    message: str

    def snap(self) -> Snap:
        about = {"device": self.device, "label": self.label, "group": self.group}
        inside = {"name": self.member, "label": self.label}
        elements = [
            vector(kind, member(kind, value, **inside), name=f"{kind} {self.name}", **about)
            for kind, value in (("Text", self.value), ("Light", self.value), ("Switch", "On"), ("BLOB", ""))
        ]
        limits = {"format": self.value, "min": self.value, "max": 5, "step": self.value}
        number = member("Number", "1", **inside, **limits)
        alert = {"state": "Alert", "message": self.message}
        elements.append(vector("Number", number, name=f"Number {self.name}", **about, **alert))
        return snap_of(*elements, f"<message{attributes(message=self.message)}/>")

    def pages(self) -> list[Page]:
        snap = self.snap()
        device = next(iter(snap.values()))
        return [Page(node._repr_html_()) for node in (snap, device, *device.values())]


# Hypothesis makes the texts; in front of each stands what tells it apart from all that the package writes.
MARK = "zqx"


@settings(max_examples=150, deadline=None)
@given(st.lists(texts, min_size=7, max_size=7))
def test_no_tag_and_no_attribute_is_made_of_what_a_device_says(said: list[str]) -> None:
    words = Words(*[f"{MARK}{place}{text}." for place, text in enumerate(said)])
    plain = Words(*[f"{MARK}{place}." for place in range(7)])
    for page, same in zip(words.pages(), plain.pages(), strict=True):
        assert page.tags == same.tags
        assert MARK in page.text
        for tag, attrs in page.tags:
            assert tag in TAGS
            assert {name for name, _ in attrs} <= ATTRIBUTES
            assert not any(MARK in (value or "") for _, value in attrs)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_there_to_be_read(text: str) -> None:
    snap = snap_of(vector("Text", member("Text", text, name="t"), name="T"))
    assert Page(snap["D"]["T"]._repr_html_()).row("t")[1] == snap["D"]["T"]["t"]


def test_what_cannot_be_seen_is_replaced() -> None:
    snap = snap_of(vector("Text", member("Text", "a\u202eb\u200bc\nd", name="t"), name="T"))
    page = Page(snap["D"]["T"]._repr_html_())
    assert page.row("t")[1] == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c d"


def test_halves_of_characters_do_not_reach_the_page() -> None:
    """A notebook cannot be saved with them. No server can send them, but a snapshot can be made by hand."""
    snap = Snap("\udcff", 7624)
    assert snap._repr_html_().encode()


@settings(max_examples=50, deadline=None)
@given(texts, texts)
def test_format_and_file_name_of_a_frame_are_text_too(form: str, file: str) -> None:
    from indipyclient.protocol.messages import OneBLOB
    from indipyclient.state.members import MemberInfo, SnapBLOBMember

    def page(form: str, file: str, error: str) -> Page:
        info = MemberInfo("b", f"{MARK}{file}", "", "", "", "", "", 0)
        blob = OneBLOB("b", memoryview(b"1"), 1, f"{MARK}{form}", f"{MARK}{error}")
        return Page(SnapBLOBMember(info, blob, 1, f"{MARK}{file}")._repr_html_())

    assert page(form, file, form + file).tags == page("", "", "").tags


def test_pages_ask_for_nothing_from_elsewhere() -> None:
    snap = snap_of(frame(b"\xff" * 20, ".fits"), vector("Text", member("Text", "http://x", name="t")))
    for page in (Page(snap._repr_html_()), Page(snap["D"]["B"]._repr_html_())):
        assert not {"script", "style", "link", "iframe"} & page.names()
        assert not any("url(" in (style or "") for tag in TAGS for style in page.attribute(tag, "style"))
        assert all(
            (source or "").startswith("data:image/png;base64,") for source in page.attribute("img", "src")
        )
