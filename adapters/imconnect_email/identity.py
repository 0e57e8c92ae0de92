"""Who a mail says it is from, and what about that should make an agent wary."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from imconnect_email.headers import Written, all_of, mailboxes
from imconnect_email.mail import Field, House, Mailbox, Remark

_SHOWN_ADDRESS = re.compile(r"[\w.+-]{1,64}[@＠][\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)

# Letters and digits that look like a Latin letter: each, and that letter (the visible ones of Unicode's UTS 39).
_SIMILAR = "аaсcԁdеeһhіiјjӏlкkмmоoрpԛqѕsԝwхxуyѵvαaβbεeιiκkνvοoρpτtυuχxγyωwɑaɡgıi0o1l3e5s6b"
_LOOKS_LIKE = str.maketrans(_SIMILAR[::2], _SIMILAR[1::2])


def senders_of(fields: Sequence[Field], hint: str) -> tuple[Mailbox | None, frozenset[Remark]]:
    """The one who says to have written it, and what is wrong with saying so. A name is never an address."""
    lines = all_of(fields, "from")
    written = [one for line in lines for one in mailboxes(line, hint)]
    if not written:
        return None, frozenset()
    remarks: set[Remark] = set()
    if len(lines) > 1 or len(written) > 1:
        remarks.add(Remark.SEVERAL_SENDERS)
    sender = written[0]
    if not sender.clear:
        remarks.add(Remark.AMBIGUOUS_SENDER)
    return sender.mailbox, frozenset(remarks | _of_the_name(sender))


def _of_the_name(sender: Written) -> set[Remark]:
    remarks: set[Remark] = set()
    name = unicodedata.normalize("NFKC", _INVISIBLE.sub("", sender.mailbox.name))
    shown = {found.lower() for found in _SHOWN_ADDRESS.findall(name)}
    if shown - {sender.mailbox.address}:
        remarks.add(Remark.NAME_SHOWS_AN_ADDRESS)
    if _INVISIBLE.search(sender.mailbox.name):
        remarks.add(Remark.NAME_IS_DISGUISED)
    return remarks


def remarks_on(sender: Mailbox | None, reply_to: Iterable[Mailbox], house: House) -> frozenset[Remark]:
    """What else is odd about the addresses of a mail."""
    remarks: set[Remark] = set()
    if sender is not None:
        if any(one.address != sender.address for one in reply_to):
            remarks.add(Remark.REPLY_ELSEWHERE)
        if imitated(sender.domain, house.domains) is not None:
            remarks.add(Remark.LOOKALIKE_DOMAIN)
    return frozenset(remarks)


# -------------------------------------------------------------------------------------------------------- look-alikes


def imitated(domain: str, ours: Iterable[str]) -> str | None:
    """Which of *ours* the foreign *domain* looks like: letters swapped for similar ones, one letter off, our name
    with something added, or our whole domain in front of another's."""
    plain = _unicode(domain.lower().rstrip("."))
    for one in ours:
        known = one.lower().rstrip(".")
        if plain == known or plain.endswith(f".{known}"):
            return None
    return next((one for one in ours if _imitates(plain, one.lower().rstrip("."))), None)


def _imitates(domain: str, known: str) -> bool:
    skeleton, known_skeleton = _skeleton(domain), _skeleton(known)
    if skeleton == known_skeleton or skeleton.startswith(f"{known_skeleton}.") or f".{known_skeleton}." in skeleton:
        return True
    brand = known_skeleton.split(".")[0]
    if len(brand) < 4:  # too short to be anybody's alone
        return False
    labels = skeleton.split(".")
    if any(brand in label.split("-") or (len(brand) >= 6 and brand in label) for label in labels[:-1]):
        return True
    near = len(brand) >= 6 and any(_one_off(label, brand) for label in labels[:-1])
    return near or (len(brand) >= 6 and _one_off(skeleton, known_skeleton))


def _unicode(domain: str) -> str:
    """The domain as its owner wants it read: `xn--` labels decoded."""
    labels: list[str] = []
    for label in domain.split("."):
        try:
            labels.append(label[4:].encode("ascii").decode("punycode") if label.startswith("xn--") else label)
        except ValueError:
            labels.append(label)
    return ".".join(labels)


def _skeleton(domain: str) -> str:
    """Two domains with one skeleton are easily taken for each other."""
    letters = unicodedata.normalize("NFKD", domain.translate(_LOOKS_LIKE))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter)).lower().translate(_LOOKS_LIKE)
    return plain.replace("rn", "m").replace("vv", "w").replace("cl", "d").replace("i", "l")


def _one_off(one: str, other: str) -> bool:
    """Whether one letter was changed, added, left out, or two were swapped."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    if len(one) == len(other):
        differ = [at for at in range(len(one)) if one[at] != other[at]]
        if len(differ) == 1:
            return True
        return (
            len(differ) == 2
            and differ[1] == differ[0] + 1
            and one[differ[0]] == other[differ[1]]
            and (one[differ[1]] == other[differ[0]])
        )
    shorter, longer = sorted((one, other), key=len)
    return any(longer[:at] + longer[at + 1 :] == shorter for at in range(len(longer)))
