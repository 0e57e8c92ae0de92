"""How something is said: taking something back, not having what was asked for, not being helped."""

import re
from collections.abc import Iterable, Mapping

_FLAGS = re.IGNORECASE

# ---------------------------------------------------------------------------------------------------------- clauses

_CONCERNS = re.compile(
    r"[。！？!?;；\n]+|\.(?=\s)|\b(?:and also|also|but|and|besides|plus)\b"
    r"|另外|还有|還有|而且|顺便|順便|但是|可是|以及|同时|同時",
    _FLAGS,
)
_CLAUSES = re.compile(r"[。！？!?;；，,\n]+|\.(?=\s|$)|\b(?:but|and)\b|但是|不过|不過|但")
MOST_CONCERNS = 4
"""Who writes more sentences than this tells one long story."""

_LONG_ENOUGH = re.compile(r"[\u3400-\u9fff](?:[^\u3400-\u9fff]*[\u3400-\u9fff]){3}|[a-z]+(?:\W+[a-z]+){2}", _FLAGS)


def concerns(text: str) -> list[str]:
    """The parts of *text* that may each be about a matter of its own; none where there is only one."""
    parts = [part.strip(" ,，、.") for part in _CONCERNS.split(text) if part]
    parts = [part for part in parts if _LONG_ENOUGH.search(part)]
    return parts if 1 < len(parts) <= MOST_CONCERNS else []


# ------------------------------------------------------------------------------------------------------- corrections

_PAUSE = r"[\s,，.。!！:：、]*"
_NAY = (
    r"(?:不是的?|不对|不對|不不|唔係|错了|錯了|no|nope|nah|sorry|wait|oops|actually|correction"
    r"|not (?:that|this)(?: one)?|that'?s not (?:it|what i meant?)|不是(?:这个|那个|這個|那個)|唔係(?:呢個|嗰個))"
)
_MEANT = (
    r"(?:我(?:说|說|指|讲|講|问|問|要)的是|我是(?:说|說|指|问|問)|我的意思是|我想(?:说|說|问|問)的是"
    r"|(?:i|what i) (?:meant?|was asking about|was talking about)(?: to say)?(?: is| was)?)"
)
_MISTAKEN = r"(?:我?(?:刚才|剛才|刚刚|剛剛)?(?:说|說|打|写|寫|发|發|搞|填)[错錯]了)"
_IT_IS = r"(?:应该是|應該是|其实是|其實是|是|it'?s|it is|it was|that'?s|should be)(?!\s*(?:not|still|n't))"
_LEAD = re.compile(
    rf"\s*(?:(?:{_NAY}{_PAUSE})*{_MEANT}|(?:{_NAY}{_PAUSE})*{_MISTAKEN}{_PAUSE}(?:{_IT_IS})?|{_NAY}[\s,，.。!！]+{_IT_IS})"
    rf"{_PAUSE}",
    _FLAGS,
)
_SWAPPED = re.compile(
    rf"\s*(?:{_NAY}{_PAUSE})*(?:{_MEANT}\s*)?(?:不是\s*[^，,。]+?[，,\s]*而?是"
    r"|(?:it'?s |it is )?not\s+[^,，]+?(?:,\s*(?:it'?s|it is)|,?\s*but))\s*(?P<meant>.+)",
    _FLAGS | re.DOTALL,
)
_NOT_THAT = re.compile(r"[\s,，]*(?:而?不是|\b(?:and )?not\b)\s*(?P<taken_back>.+)$", _FLAGS | re.DOTALL)


def corrects(text: str) -> bool:
    """Whether *text* takes back what was said or understood before."""
    return _LEAD.match(text) is not None or _SWAPPED.match(text) is not None


def meant(text: str) -> str:
    """What a correction says in the place of what it takes back."""
    if swapped := _SWAPPED.match(text):
        return swapped["meant"].strip()
    lead = _LEAD.match(text)
    rest = text[lead.end() :] if lead else text
    return _NOT_THAT.sub("", rest).strip(" ,，.。!！") or rest.strip()


# --------------------------------------------------------------------------------------------------------- not helped

_UNHELPED = re.compile(
    r"(?:还是|還是|仍然|仍|依然|照样|照樣|都)(?:不行|没用|沒用|没有用|沒有用|不能用|不管用|没解决|沒解決|没好|沒好|进不去|進不去|没反应|沒反應|一样|一樣|唔得)"
    r"|(?:试过|試過|试了|試了|照做|做了).{0,8}(?:不行|没用|沒用|没效果|沒效果|不管用|无效|無效|还是|還是)"
    r"|(?:没|沒)有?(?:帮助|幫助|解决|解決|用)(?:啊|呀|的)?\W*$|不管用|没啥用|沒啥用|冇用"
    r"|\bstill (?:not|n't|doesn'?t|does not|can'?t|cannot|isn'?t|won'?t|broken|the same|no luck|nothing|stuck|fail)"
    r"|\b(?:didn'?t|did not|doesn'?t|does not) (?:help|work|fix|solve)\b|\bno luck\b"
    r"|\bnot (?:helpful|working|fixed|solved)\b"
    r"|\b(?:tried|did) (?:that|this|all that|everything|it all) (?:already|and)|\bsame (?:problem|issue|error)\b",
    _FLAGS,
)


def unhelped(text: str) -> bool:
    """Whether *text* says that what was advised did not do it."""
    return _UNHELPED.search(text) is not None


# ----------------------------------------------------------------------------------------------------------- refusals

_HAS_NOT = (
    r"(?:没有|沒有|没|沒|冇|找不到|揾唔到|搵唔到|查不到|不知道|唔知|不清楚|不记得|不記得|唔記得|记不清|記不清|忘记|忘記|忘|"
    r"不想|不愿意?|不願意?|不方便|无法|無法|拿不到|看不到|弄丢|弄丟|不能|不会|不會|不)"
)
_OF_IT = (
    r"(?:了|提供|给|給|说|說|发|發|透露|告诉|告訴|填|写|寫|查|找|看|记|記|存|保存|到|你们|你們|您|你|这个|這個|那个|那個|任何|我的|"
    r"什么|什麼|这笔|這筆|那笔|那筆|完整的?|的)*"
)
_NO_VERB = (
    r"(?:(?:do ?n'?t|do not|did ?n'?t|did not|ca ?n'?t|cannot|can not|could ?n'?t|wo ?n'?t|will not|would ?n'?t"
    r"|rather not|not going to|unable to|not able to|have ?n'?t|have not|never)(?: \w+){0,2}?"
    r" (?:have|got|get|find|know|remember|recall|see|give|provide|share|send|tell|locate|kept|keep|saved?|wrote)"
    r"|forgot(?:ten)?|lost|no longer have|have no|got no|there is no|there'?s no|do not want to|without|no)"
)
_ARTICLE = (
    r"(?: (?:you|to|the|a|an|any|my|that|this|such|it|me|us|for|what|which|is|was|where|transaction|transfer|full))*"
)
_ABSENT = r"(?:not available|unavailable|unknown|no idea|n/a)"
_BETWEEN = r"(?:我|也|都|是|的话|的話|呢|这个|這個|那个|那個|is |was |i |we |[\s,，:：?？-])*"
_ENDING = r"\s*(?=[,，。.!！;；~～]|\bbut\b|\band\b|$)"
_BARE = re.compile(
    r"\W*(?:(?:抱歉|对不起|對不起|我|这个|這個|那个|那個|其他的?|其它的?|其余的?|其餘的?|剩下的?|别的|別的|真的|也|都|实在|實在|"
    r"no|sorry|well|i|we|really|just|the rest|the others?|that one|this one)[\s,，]*)*"
    r"(?:(?:都|也)?(?:找不到|揾唔到|搵唔到|查不到|不知道|唔知道?|不清楚|不记得|不記得|唔記得|忘记?了|忘記了|拿不到|没有了|沒有了|没了|沒了|都没有|都沒有|"
    r"不提供|(?:不想|不愿意?|不願意?|不方便|不能|无法|無法)(?:提供|给|給|说|說|发|發|透露)|没有(?:这些?|那些?|这个|那个)|沒有(?:這些?|那些?|這個|那個))"
    r"|(?:我|其他的?|其它的?|剩下的?|别的|別的)(?:都)?(?:没有|沒有|冇)"
    rf"|{_NO_VERB}(?: (?:it|that|this|one|them|those|these|any|anything|any of (?:it|that|those|them)|where it is))?"
    r"|no idea|not available|n/a)"
    r"(?:了|啊|呀|哦|诶|的|你们|你們| anywhere| any ?more| to you| here| at all| sorry| right now)*\W*",
    _FLAGS,
)


def declines(text: str) -> bool:
    """Whether a clause of *text* says that what was asked for does not come, and does not name it."""
    return any(clause.strip() and _BARE.fullmatch(clause) for clause in _CLAUSES.split(text) if clause)


def declined(text: str, names: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Of the details *names* (each with what customers call it) those that *text* says do not come."""
    if _SOMETHING_DOES_NOT_COME.search(text) is None:  # most messages say nothing of the kind
        return ()
    said = text.lower()
    return tuple(
        detail
        for detail, called in names.items()
        if any(name.lower() in said and _does_not_come(text, name) for name in called)
    )


_SOMETHING_DOES_NOT_COME = re.compile(rf"{_HAS_NOT}|{_NO_VERB}|{_ABSENT}", _FLAGS)


def _does_not_come(text: str, name: str) -> bool:
    word = re.escape(name)
    if re.search(r"[\u3400-\u9fff]", name):
        word = rf"{word}(?!里|裡|上|中|的|被|吗|嗎)"
    else:
        word = rf"(?<![a-z0-9]){word}(?![a-z0-9])"
    before = rf"(?:{_HAS_NOT}{_OF_IT}\s*{word}|\b{_NO_VERB}{_ARTICLE} {word})"
    after = rf"{word}{_BETWEEN}(?:{_HAS_NOT}{_OF_IT}(?:有|啊|呀|哦)?|{_NO_VERB}(?: it| that| one)?|{_ABSENT}){_ENDING}"
    return re.search(f"{before}|{after}", text, _FLAGS) is not None


# ----------------------------------------------------------------------------------------------------------- questions

_ASKS = re.compile(
    r"[?？]|吗\W*$|嗎\W*$|呢\W*$|怎么|怎麼|怎样|怎樣|如何|为什么|為什麼|為甚麼|点解|點解|什么|什麼|哪里|哪裡|多少|几时|能不能|可不可以"
    r"|^\W*(?:how|what|why|where|when|which|who|can|could|do|does|is|are|will|should|may)\b",
    _FLAGS,
)


def asks(text: str) -> bool:
    """Whether *text* has the form of a question."""
    return _ASKS.search(text) is not None
