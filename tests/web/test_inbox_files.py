"""Files, quoted text and remarks at /inbox: shown to agents, handed out safely, delicate pictures veiled."""

import re
from html import unescape

import pytest
from tests.web.desk import RunningDesk
from tests.web.test_inbox import PHRASE, customer_says, dossier
from tests.web.visits import Visitor, until

from imconnect.domain.messages import Address, Attachment, Handle, Incoming, Remark
from imconnect.domain.readings import SecretKind
from imconnect.ports import FileOfMessage, FileResult, FileState

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
ELSEWHERE = Address("telegram", "bot", "7")
"""Nobody fetches files for this inbox here: what becomes of them is up to the test."""


async def with_files(desk: RunningDesk, text: str, *files: Attachment, **told: object) -> str:
    """Somebody writes on Telegram; the reference of their conversation."""
    message = Incoming(f"m{text}", ELSEWHERE, Handle("7", "Ann"), text, desk.time(), files, **told)  # type: ignore[arg-type]  # fields by name
    await desk.intake.deliver([message])
    found = await desk.store.state_at(ELSEWHERE)
    assert found is not None
    reference = found.reference

    async def decided() -> bool:
        return bool((await dossier(desk, reference)).outcomes)

    assert await until(decided)
    return reference


async def files_of(desk: RunningDesk, reference: str) -> list[FileOfMessage]:
    return [file for line in (await dossier(desk, reference)).lines for file in line.files]


async def a_file(
    desk: RunningDesk, content: bytes = PNG, kind: str = "image/png", name: str = "screen.png", text: str = "see this"
) -> tuple[str, int]:
    """A message with a file that was kept: its conversation and the file's number."""
    reference = await with_files(desk, text, Attachment("x", name, kind, len(content)))
    (file,) = await files_of(desk, reference)
    await desk.store.keep_files([FileResult(file.id, FileState.KEPT, kind, content)], desk.time())
    return reference, file.id


async def test_a_kept_file_is_handed_out_whole_as_an_attachment_nothing_can_run(
    desk: RunningDesk, agent: Visitor
) -> None:
    _, number = await a_file(desk)
    answer = await agent.http.get(f"/inbox/files/{number}")

    assert (answer.status_code, answer.content) == (200, PNG)
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="file-{number}.png"')
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["content-type"] == "image/png"


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "text/plain", "application/pdf"])
async def test_what_a_browser_might_run_has_no_type(desk: RunningDesk, agent: Visitor, kind: str) -> None:
    """E-26: HTML and SVG that a customer sends can only be saved."""
    reference, number = await a_file(desk, b"<svg onload='alert(1)'/>", kind, "a.svg")
    answer = await agent.http.get(f"/inbox/files/{number}")

    assert answer.headers["content-type"] == "application/octet-stream"
    assert "<img" not in await agent.page(f"/inbox/{reference}")


async def test_a_file_name_cannot_break_out_of_its_header(desk: RunningDesk, agent: Visitor) -> None:
    """E-28: quotes and line breaks in a name."""
    _, number = await a_file(desk, name='截图 "x"\r\nSet-Cookie: a=b.png')
    answer = await agent.http.get(f"/inbox/files/{number}")

    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert "filename*=UTF-8''%E6%88%AA%E5%9B%BE%20%22x%22%0D%0A" in answer.headers["content-disposition"]


async def test_files_are_for_agents_alone(desk: RunningDesk, visitor: Visitor) -> None:
    _, number = await a_file(desk)
    answer = await visitor.http.get(f"/inbox/files/{number}")

    assert answer.status_code == 401
    assert PNG not in answer.content


@pytest.mark.parametrize("number", ["9999", "0", "-1", "x", "1e3", "9" * 40])
async def test_a_file_there_is_not_is_not_found(agent: Visitor, number: str) -> None:
    assert (await agent.http.get(f"/inbox/files/{number}")).status_code == 404


async def test_a_withheld_file_is_shown_as_such_and_not_handed_out(desk: RunningDesk, agent: Visitor) -> None:
    """S-09: a text file with a phrase."""
    reference = await with_files(desk, "see this", Attachment("x", "wallet.txt", "text/plain", 90))
    (file,) = await files_of(desk, reference)
    withheld = FileResult(file.id, FileState.WITHHELD, "text/plain", secret=SecretKind.RECOVERY_PHRASE)
    await desk.store.keep_files([withheld], desk.time())
    page = unescape(await agent.page(f"/inbox/{reference}"))

    assert "Withheld for the customer's safety: recovery phrase" in page
    assert f"/inbox/files/{file.id}" not in page
    assert (await agent.http.get(f"/inbox/files/{file.id}")).status_code == 404


@pytest.mark.parametrize(
    ("state", "words"),
    [(FileState.NAMED, "not fetched yet"), (FileState.TOO_LARGE, "too large"), (FileState.LOST, "could not be")],
)
async def test_what_became_of_a_file_is_told(desk: RunningDesk, agent: Visitor, state: FileState, words: str) -> None:
    reference = await with_files(desk, "see this", Attachment("x", "log.txt", "text/plain", 2_048))
    (file,) = await files_of(desk, reference)
    await desk.store.keep_files([FileResult(file.id, state)], desk.time())
    page = await agent.page(f"/inbox/{reference}")

    assert "log.txt (text/plain, 2 KB)" in page
    assert words in page


async def test_a_picture_is_loaded_only_when_it_is_asked_for(desk: RunningDesk, agent: Visitor) -> None:
    reference, number = await a_file(desk)
    page = await agent.page(f"/inbox/{reference}")
    picture = re.search(r'<details class="picture".*?</details>', page, re.DOTALL)

    assert picture is not None
    assert f'loading="lazy" src="/inbox/files/{number}"' in picture[0]
    assert "veiled" not in picture[0]


@pytest.mark.parametrize("said", [f"my phrase is {PHRASE}", "I lost my recovery phrase"])
async def test_a_picture_that_may_show_a_phrase_is_veiled(desk: RunningDesk, agent: Visitor, said: str) -> None:
    """S-10: an image in a "lost mnemonic" case is blurred until it is opened on purpose, with a warning."""
    reference, _ = await a_file(desk, text=said if PHRASE not in said else "")
    if PHRASE in said:
        await with_files(desk, said)
    page = await agent.page(f"/inbox/{reference}")

    assert 'class="veiled"' in page
    assert "This may show a recovery phrase" in page


async def test_what_a_mail_repeats_is_folded_away(desk: RunningDesk, agent: Visitor) -> None:
    """E-23: only the new text is shown; the rest is a click away."""
    reference = await with_files(desk, "the new words", quoted="On Monday you wrote: the old words")
    page = await agent.page(f"/inbox/{reference}")
    folded = re.search(r'<details class="quoted".*?</details>', page, re.DOTALL)

    assert folded is not None
    assert "the old words" in folded[0]
    assert "the new words" not in folded[0]
    assert " open" not in folded[0].partition(">")[0]


async def test_remarks_are_badges_in_plain_words(desk: RunningDesk, agent: Visitor) -> None:
    """E-05: an agent sees that replies were to go to another address."""
    told = (Remark.UNVERIFIED_SENDER, Remark.REPLY_TO_DIFFERS)
    reference = await with_files(desk, "hello", remarks=told)
    page = await agent.page(f"/inbox/{reference}")

    assert '<span class="badge high">Unverified sender</span>' in page
    assert '<span class="badge high">Replies were to go elsewhere</span>' in page


async def test_the_api_tells_of_files_quoted_text_and_remarks(desk: RunningDesk, agent: Visitor) -> None:
    reference, number = await a_file(desk)
    await with_files(desk, "more", quoted="old words", remarks=(Remark.FORWARDED,))
    shown = (await agent.http.get(f"/api/v1/conversations/{reference}")).json()
    files = [file for line in shown["lines"] for file in line["files"]]
    last = next(line for line in shown["lines"] if line["text"] == "more")

    assert files == [
        {
            "id": number,
            "name": "screen.png",
            "media_type": "image/png",
            "size": 72,
            "state": "kept",
            "withheld": None,
            "url": f"/inbox/files/{number}",
        }
    ]
    assert (last["quoted"], last["remarks"]) == ("old words", ["forwarded"])
    assert shown["related"] == []


# -------------------------------------------------------------------------------------------------------------- acts


async def waiting(desk: RunningDesk, agent: Visitor, peer: str = "peer") -> str:
    from tests.web.test_inbox import in_line

    reference = await in_line(desk, peer)
    await agent.act(reference, "take")
    return reference


async def test_a_link_that_is_not_ours_needs_a_second_click(desk: RunningDesk, agent: Visitor) -> None:
    """S-14: the box comes back with the words, the host and a button that says so."""
    reference = await waiting(desk, agent)
    text = "see https://unheard-of.example.org/x"
    stopped = await agent.act(reference, "reply", text)
    button = re.search(r'<button name="anyway" value="([^"]+)"', stopped.text)
    assert button is not None
    sent = await agent.act(reference, "reply", text, anyway=button[1])
    lines = (await dossier(desk, reference)).lines

    assert stopped.status_code == 409
    assert "unheard-of.example.org is not on the official list" in stopped.text
    assert f">{text}</textarea>" in stopped.text
    assert sent.status_code == 303
    assert text in [line.text for line in lines]


@pytest.mark.parametrize("link", ["http://192.0.2.7/x", "https://etherscam.io/tx"])
async def test_a_link_that_deceives_has_no_second_click(desk: RunningDesk, agent: Visitor, link: str) -> None:
    """S-14: look-alike and IP hosts are refused."""
    reference = await waiting(desk, agent)
    stopped = await agent.act(reference, "reply", f"see {link}")
    again = await agent.act(reference, "reply", f"see {link}", anyway="192.0.2.7 etherscam.io")

    assert (stopped.status_code, again.status_code) == (409, 409)
    assert 'name="anyway"' not in stopped.text
    assert "imitates another site" in stopped.text


async def test_a_case_is_handed_on_to_a_colleague(desk: RunningDesk, agent: Visitor) -> None:
    await desk.agent("Mei", "meis link")
    reference = await waiting(desk, agent)
    done = await agent.act(reference, "transfer", "Mei")

    assert done.status_code == 303
    assert (await dossier(desk, reference)).summary.agent == "Mei"


async def test_a_ready_made_answer_is_sent_in_the_customers_language(desk: RunningDesk, agent: Visitor) -> None:
    reference = await waiting(desk, agent)
    done = await agent.act(reference, "snippet", "fees")
    summary = (await dossier(desk, reference)).summary
    said = [line.text for line in (await dossier(desk, reference)).lines if line.speaker == "agent"]

    assert done.status_code == 303
    assert said == [desk.playbook.article("fees", summary.language).answer]


async def test_somebody_else_is_let_in_by_an_agent(desk: RunningDesk, agent: Visitor) -> None:
    """E-30: a third person is added only after staff approval."""
    reference = await waiting(desk, agent)
    done = await agent.act(reference, "admit", "another-peer")
    admitted = await customer_says(desk, "another-peer", "I am with them")

    assert done.status_code == 303
    assert admitted == reference


async def test_a_tool_that_names_nothing_says_so(desk: RunningDesk, agent: Visitor) -> None:
    reference = await waiting(desk, agent)
    answer = await agent.act(reference, "transfer", "Nobody")

    assert answer.status_code == 409
    assert "there is no agent of that name" in answer.text


async def test_integrators_confirm_a_link_by_its_host(desk: RunningDesk, agent: Visitor) -> None:
    reference = await waiting(desk, agent)
    url, said = f"/api/v1/conversations/{reference}/acts", "see https://unheard-of.example.org"
    stopped = (await agent.http.post(url, json={"act": "reply", "key": "reply-001", "text": said})).json()
    again = {"act": "reply", "key": "reply-002", "text": said, "anyway": stopped["hosts"]}
    sent = (await agent.http.post(url, json=again)).json()

    assert (stopped["refused"], stopped["hosts"]) == ("link_unknown", ["unheard-of.example.org"])
    assert (sent["outcome"], sent["refused"]) == ("replied", None)
