"""What is asked of the desk itself: where the case stands, which language, who is who."""

import re
from dataclasses import replace

from imconnect.domain.conversations import Stage
from imconnect.domain.drafting import (
    COMMANDS,
    HELP,
    LANGUAGE,
    LANGUAGE_CHOICE,
    STATUS,
    TOPIC_CHOICE,
    VERIFY,
    Draft,
    listed,
)
from imconnect.domain.events import MessageReceived
from imconnect.domain.messages import Choice, Language, Purpose
from imconnect.domain.standing import tell_place
from imconnect.domain.triage import HUMAN


def obey(draft: Draft, event: MessageReceived) -> str | None:
    """What is asked of the desk itself is answered at any time, also while a person is talking."""
    key = event.choice or typed_command(event.text)
    if key == STATUS:
        return standing_of_case(draft)
    known = {HELP: _help, VERIFY: _verify, LANGUAGE: _ask_language}
    if key in known:
        return known[key](draft, event)
    if draft.now_is.stage is not Stage.WITH_AGENT or key is None:
        return None  # with the bot, the other buttons belong to what is being talked about
    if key == TOPIC_CHOICE + HUMAN:
        draft.notice("with-agent-already")
        return "told: with-agent-already"
    language = key.removeprefix(LANGUAGE_CHOICE)
    return fix_language(draft, Language(language)) if key != language and language in list(Language) else None


def typed_command(text: str) -> str | None:
    """The key of the command that *text* begins with."""
    return COMMANDS.get(text.strip().split(" ", 1)[0].lower())


def name_to_verify(event: MessageReceived) -> str | None:
    """The name that *event* asks about with /verify; None for any other message, "" where it names none."""
    if event.choice != VERIFY and typed_command(event.text) != VERIFY:
        return None
    return re.sub(r"^/verify(@\w+)?", "", event.text.strip(), flags=re.IGNORECASE).strip()


def _help(draft: Draft, event: MessageReceived) -> str:
    draft.say(Purpose.ANSWER, "help", draft.playbook.notice("help", draft.language))
    return "told: help"


def standing_of_case(draft: Draft) -> str:
    """Where the case stands: in line, with whom, or what it still lacks."""
    now_is = draft.now_is
    if now_is.stage is Stage.WITH_AGENT:
        draft.notice("status-with-agent", reference=now_is.reference, agent=now_is.agent or "")
        return "told: status-with-agent"
    if now_is.stage is Stage.COLLECTING:
        titles = (draft.playbook.details[name].titles[draft.language] for name in _asked(draft))
        draft.notice("status-collecting", reference=now_is.reference, details=listed(draft, titles))
        return "told: status-collecting"
    return tell_place(draft)


def _asked(draft: Draft) -> list[str]:
    return [name for name in draft.now_is.asked_for if name in draft.playbook.details]


def _verify(draft: Draft, event: MessageReceived) -> str:
    """Whether somebody who claims to be of ours is: those who are talk here, never elsewhere first."""
    if event.reading.vouched is not None:
        slug = "verify-yes" if event.reading.vouched else "verify-no"
        draft.notice(slug)
        return f"told: {slug}"
    now_is = draft.now_is
    label = {Stage.WITH_AGENT: "verify_with_agent", Stage.WAITING: "verify_waiting"}.get(now_is.stage, "verify_none")
    case = draft.playbook.label(label, draft.language, reference=now_is.reference, agent=now_is.agent or "")
    draft.notice("verify", case=case)
    return "told: verify"


def _ask_language(draft: Draft, event: MessageReceived) -> str:
    said = event.text.strip().lower().removeprefix("/language").strip()
    if said in list(Language):
        return fix_language(draft, Language(said))
    choices = [
        Choice(LANGUAGE_CHOICE + language, draft.playbook.label(f"language_{language}", draft.language))
        for language in Language
    ]
    draft.say(Purpose.QUESTION, "choose-language", draft.playbook.notice("choose-language", draft.language), choices)
    return "asked which language"


def fix_language(draft: Draft, language: Language) -> str:
    draft.now_is = replace(draft.now_is, language=language, language_fixed=True)
    draft.notice("language-set")
    return f"language fixed: {language.value}"
