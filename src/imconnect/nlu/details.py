"""What was given of what a case needs: found by its form, checked, and told what is wrong with it."""

import re
from collections.abc import Iterator
from datetime import datetime
from types import MappingProxyType

from imconnect.domain.readings import Spotted
from imconnect.formats import addresses, amounts, base58, broken, explorers
from imconnect.formats.written import plain
from imconnect.nlu import when

PROBLEMS: MappingProxyType[str, frozenset[str]] = MappingProxyType(
    {
        "transaction_hash": frozenset({"wrong_length", "bad_character", "hash_is_an_address"}),
        "wallet_address": frozenset(
            {
                "wrong_length",
                "bad_checksum",
                "bad_character",
                "mixed_case",
                "wrong_format",
                "missing_prefix",
                "address_is_a_hash",
            }
        ),
        "chain": frozenset({"chain_mismatch"}),
        "account_email": frozenset({"wrong_format"}),
    }
)
"""Every code `Spotted.problem` may hold, by detail. A pack has a sentence for each, in each of its languages.

wrong_length        characters are missing, or there are too many of them
bad_checksum        one or more characters are wrong: to be copied again, not retyped
bad_character       a character this kind of value never has (`0`, `O`, `I`, `l` in base58; a letter past `f` in a hash)
mixed_case          bech32 is written all in lower or all in upper case
wrong_format        the parts do not fit (bech32 where bech32m belongs; an e-mail address without a domain)
missing_prefix      the `0x` in front is missing
hash_is_an_address  an address was given where the transaction hash was asked for
address_is_a_hash   a transaction hash, or a link to one, was given where the address was asked for
chain_mismatch      the hash, link or address belongs to another chain than the one that was named
"""

_CHAINS = tuple(
    (slug, re.compile(rule, re.IGNORECASE))
    for slug, rule in {
        "bsc": r"bep[ _-]?(?:20|2)\b|币安(?:智能)?链|(?<![a-z])bsc(?![a-z])|\bbnb[ -]?(?:smart[ -]?)?chain"
        r"|binance smart chain",
        "tron": r"trc[ _-]?(?:20|10)|波场(?!币)|(?<![a-z])tron(?![a-z])|(?<![a-z])trx[ ]?(?:链|网络|network|chain)",
        "arbitrum": r"arbitrum|(?<![a-z])arb[ ]?(?:one|链|网络|network|chain)",
        "optimism": r"optimism|(?<![a-z])op[ ]?(?:mainnet|链|网络|network|chain)",
        "polygon": r"polygon|(?<![a-z])(?:matic|pol)[ ]?(?:链|网络|network|chain)|马蹄链?",
        "base": r"(?<![a-z])base[ ]?(?:链|网络|主网|network|chain|mainnet)|\b(?:on|via|over"
        r"|through) base\b(?! (?:fee|price|rate))",
        "avalanche": r"avalanche|雪崩链?|(?<![a-z])avax[ ]?(?:c-?chain|链|网络|network|chain)|\bc-chain\b",
        "solana": r"solana|索拉纳|(?<![a-z])sol[ ]?(?:链|网络|主网|network|chain|mainnet)|(?<![a-z])spl\b",
        "bitcoin": r"bitcoin[ ]?(?:network|chain|mainnet)|比特币(?:网络|主网|链)|(?<![a-z])btc[ ]?(?:链|网络"
        r"|主网|network|chain|mainnet)"
        r"|taproot|segwit|\b(?:on|via|over) bitcoin\b|brc[ -]?20",
        "litecoin": r"litecoin|莱特币?(?:网络|链)|(?<![a-z])ltc[ ]?(?:链|网络|network|chain)",
        "dogecoin": r"dogecoin|狗狗?币?(?:网络|链)|(?<![a-z])doge[ ]?(?:链|网络|network|chain)",
        "cosmos": r"cosmos|(?<![a-z])atom[ ]?(?:链|网络|network|chain)",
        "ton": r"(?<![a-z])ton[ ]?(?:链|网络|network|chain)|\bthe open network\b|\b(?:on|via|over) ton\b",
        "ethereum": r"erc[ _-]?20|以太坊?(?:主网|网络|链)|以太主?网|ethereum|(?<![a-z])eth[ ]?(?:链|网络|主网"
        r"|network|chain|mainnet)"
        r"|以太坊",
    }.items()
)
_CHAIN_ANSWERS = {
    "eth": "ethereum", "以太坊": "ethereum", "以太": "ethereum", "erc": "ethereum", "bnb": "bsc", "币安": "bsc",
    "matic": "polygon", "pol": "polygon", "arb": "arbitrum", "op": "optimism", "base": "base", "avax": "avalanche",
    "trx": "tron", "trc": "tron", "sol": "solana", "btc": "bitcoin", "比特币": "bitcoin", "bitcoin": "bitcoin",
    "大饼": "bitcoin", "ltc": "litecoin", "莱特币": "litecoin", "doge": "dogecoin", "狗狗币": "dogecoin",
    "atom": "cosmos", "ton": "ton",
}  # fmt: skip

_HASH_LIKE = re.compile(r"(?<![0-9A-Za-z])(?:0[xX])?[0-9A-Za-z]{25,130}(?![0-9A-Za-z])")
_TON_ADDRESS = re.compile(r"(?<![0-9A-Za-z_-])(?:EQ|UQ)[0-9A-Za-z_-]{46}(?![0-9A-Za-z_-])")
_HEX = re.compile(r"(0[xX])?([0-9a-fA-F]+)")
_SIGNATURE_LENGTHS = range(84, 91)
_URL = re.compile(r"(?:h(?:tt|xx)ps?://|www\.)[^\s<>\"'，。；）)】》]{3,400}", re.IGNORECASE)
_MAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,6}[A-Za-z]{2,24}(?![A-Za-z0-9-])"
)
_MAIL_WITHOUT_DOMAIN = re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{2,64}@[A-Za-z0-9-]{0,63}(?![A-Za-z0-9@.-])")
_VERSION = re.compile(
    r"(?:版本(?:号)?|version|(?<![a-z])ver\b\.?|(?<![a-z])v(?=[ ]?\d)|(?<![a-z])app\b)[ :]{0,3}(?:是|为"
    r"|is)?[ :]{0,3}v?"
    r"(\d{1,3}(?:\.\d{1,5}){1,3})(?![\d.]*\d)(?![ ]?(?:" + amounts.UNIT + r")(?![a-z]))",
    re.IGNORECASE,
)
_BARE_VERSION = re.compile(r"(?<![\d.])v?(\d{1,3}(?:\.\d{1,5}){1,3})(?![\d.]*\d)", re.IGNORECASE)
_ORDER = re.compile(
    r"(?:订单|訂單|工单|单号|流水|\bcase|\bticket|\border|\bref(?:erence)?)[ ]?(?:号码?|编号|號|no\.?|number"
    r"|id)?[ ]?(?:是|为|is)?[ :#]{0,4}"
    r"([A-Za-z]{0,5}-?\d{4,32}(?:-\d{1,10})?)(?![0-9A-Za-z]|[.,]\d|[ ]?(?:" + amounts.UNIT + r")(?![a-z]))",
    re.IGNORECASE,
)
_CUT_HASH = re.compile(r"(?<![0-9A-Za-z/])0[xX]([0-9a-fA-F]{8,120})(?![0-9A-Za-z])")
_BARE_ORDER = re.compile(r"(?<![0-9A-Za-z])([A-Za-z]{0,5}-?\d{4,32}(?:-\d{1,10})?)(?![0-9A-Za-z]|[.,]\d)")
_DEVICE = re.compile(
    r"(iphone[ ]?(?:\d{1,2}|se|x[sr]?)?(?:[ ]?(?:pro|plus|max|mini|e\b)){0,2}|苹果[ ]?\d{1,2}(?:[ ]?(?:pro|plus"
    r"|max|mini)){0,2}|苹果手机|苹果电脑"
    r"|ipad(?:[ ]?(?:pro|air|mini)){0,1}|(?:samsung|三星"
    r"|galaxy)(?:[ ]?galaxy)?(?:[ ]?[a-z]{1,5}[ ]?\d{1,3}(?:[ ]?(?:ultra|plus|fe)|\+)?)?"
    r"|(?:google[ ]?)?pixel[ ]?\d{1,2}a?(?:[ ]?(?:pro|xl|fold)){0,2}"
    r"|(?:huawei|华为|honor|荣耀|xiaomi|小米|redmi|红米|oppo|vivo|iqoo|realme|真我|oneplus|一加|魅族|meizu"
    r"|motorola|sony)"
    r"(?:[ ]?(?:[a-z]{1,6}[ ]?)?\d{1,3}[a-z]{0,2}(?:[ ]?(?:pro|plus|ultra|max|se|note)){0,2})?"
    r"|macbook(?:[ ]?(?:pro|air))?|imac|mac[ ]?mini|(?:ledger|trezor|onekey|keystone|safepal"
    r"|coolwallet)(?:[ ]?(?:nano|model|pro|classic|touch|mini|flex|stax|safe|one)){0,2}"
    r"(?:[ ]?(?:x|s|t|1s|plus|\d)\b)?)",
    re.IGNORECASE,
)
_SYSTEM = re.compile(
    r"((?:ios|ipados|android|安卓|鸿蒙|harmony[ ]?os|hyperos|miui|macos|mac[ ]?os[ ]?x?|windows|win(?=[ ]?\d)"
    r"|linux|ubuntu)"
    r"(?:[ ]?(?:版本|系统|version))?(?:[ ]?\d{1,3}(?:\.\d{1,3}){0,2})?)(?![a-z])",
    re.IGNORECASE,
)
_NETWORK = re.compile(
    r"(wi-?fi|无线网|[2345]g(?:网络|流量)?(?![a-z])|移动数据|移动网络|蜂窝(?:网络|数据)|手机流量|流量(?!套餐)"
    r"|公司网络|公司的网|家里的网|校园网|宽带"
    r"|vpn|代理|梯子|翻墙|加速器|科学上网|proxy|mobile data|cellular|office network|home network|hotspot|热点"
    r"|ethernet|clash|shadowsocks|\btor\b)",
    re.IGNORECASE,
)
_CLOCK = (
    r"(?:[ ]?(?:的)?(?:凌晨|清晨|早上|早晨|上午|中午|下午|傍晚|晚上|夜里|半夜|晚|早))?"
    r"(?:[ ,]{0,2}(?:at |around |about |大概|大约|约)?(?:\d{1,2}:\d{2}(?::\d{2})?[ ]?(?:am|pm)?"
    r"|\d{1,2}[ ]?(?:am|pm)\b"
    r"|(?:\d{1,2}|[一二两三四五六七八九十]{1,3})点(?:半|一刻|[0-5]?\d分?|[一二三四五六七八九十]{1,3}分)?(?:左右"
    r"|多|钟)?))?"
)
_DAY = (
    r"20\d\d[ ]?[-/.年][ ]?\d{1,2}[ ]?[-/.月][ ]?\d{1,2}[ ]?[日号]?|\d{1,2}月[ ]?\d{1,2}[ ]?[日号]?"
    r"|\d{1,2}/\d{1,2}(?:/\d{2,4})?(?![\d/])"
    r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.? \d{1,2}(?:st|nd|rd|th)?(?:,? 20\d\d)?"
    r"|\d{1,2}(?:st|nd|rd|th)? (?:of )?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}(?:,? 20\d\d)?"
    r"|今天|今日|昨天|昨日|前天|大前天|今早|今晚|昨晚|前晚|刚才|刚刚|上周[一二三四五六日天]?"
    r"|上星期[一二三四五六日天]?|这周[一二三四五六日天]|本周[一二三四五六日天]|周[一二三四五六日天]"
    r"|星期[一二三四五六日天]|上个月|月初"
    r"|\btoday|\byesterday|\btonight|\blast night|\bthis (?:morning|afternoon|evening)|\bjust now"
    r"|\blast (?:week|month|(?:mon|tues|wednes|thurs|fri|satur|sun)day)"
    r"|(?:\bon |\bthis )?\b(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    r"|(?:\d{1,3}|[一二两三四五六七八九十]{1,3}|半|几)[ ]?(?:个)?(?:天|小时|钟头|分钟|周|星期|月)(?:多)?[ ]?(?:以)?前"
    r"|\b(?:\d{1,3}|an?|one|two|three|four|five|six|few|couple of|half an)[ ](?:a )?(?:days?|hours?|hrs?|mins?"
    r"|minutes?|weeks?|months?)[ ]ago"
)
_WHEN = re.compile(rf"((?:{_DAY}){_CLOCK})", re.IGNORECASE)
_CLOCK_ONLY = re.compile(
    r"((?:凌晨|清晨|早上|早晨|上午|中午|下午|傍晚|晚上|半夜)?[ ]?(?:\d{1,2}:\d{2}(?::\d{2})?(?:[ ]?(?:am"
    r"|pm)\b)?|\d{1,2}[ ]?(?:am|pm)\b|(?:\d{1,2}|[一二两三四五六七八九十]{1,3})点(?:半|\d{1,2}分?)?))",
    re.IGNORECASE,
)


def spot(text: str, asked_for: frozenset[str] = frozenset(), now: datetime | None = None) -> tuple[Spotted, ...]:
    """The details *text* gives, each once. *asked_for* names those just asked for, whose answers may be short.

    With *now*, in the zone of whoever wrote, `when` is told as a moment beside its words: "2026-11-21 15:00+08:00
    (昨天下午三点)"; without, in its words alone.
    """
    shown = plain(text)
    joined = broken.mended(shown)
    found: dict[str, Spotted] = {}
    named: list[str] = []
    for spotted in _everything(shown, joined, asked_for, now):
        if spotted.name == "chain":
            named.append(spotted.value)
        held = found.get(spotted.name)
        if held is None or (held.problem and not spotted.problem):
            found[spotted.name] = spotted
    _told_apart(found, asked_for)
    _same_chain(found, named)
    return tuple(found.values())


def _everything(shown: str, joined: str, asked_for: frozenset[str], now: datetime | None) -> Iterator[Spotted]:
    yield from _on_chain(joined)
    yield from _cut_hash(joined, asked_for)
    written = _URL.sub(" ", shown)
    rest = _HASH_LIKE.sub(" ", _URL.sub(" ", joined))
    given = amounts.amounts(rest)
    yield from _amounts(rest, given, asked_for)
    yield from _chains(rest, given, asked_for)
    yield from _plain_values(rest, asked_for)
    yield from _order(written, asked_for)
    yield from _when(rest, now)
    yield from _mail(written, asked_for)


def _cut_hash(text: str, asked_for: frozenset[str]) -> Iterator[Spotted]:
    """Where a hash was asked for: hexadecimal digits that are too few or too many for one, and no address either."""
    if "transaction_hash" in asked_for:
        for match in _CUT_HASH.finditer(text):
            if not 36 <= len(match[1]) <= 44 and not 56 <= len(match[1]) <= 72:
                yield Spotted("transaction_hash", match[0], problem="wrong_length")


def _on_chain(text: str) -> Iterator[Spotted]:
    """Hashes, addresses and links. A value inside an explorer's link is what the link says it is."""
    links = list(explorers.LINK.finditer(text)) if "/" in text else []
    for link in links:
        shown = explorers.shown(link[1], link[2])
        if shown is None:
            continue
        if shown.transaction:
            yield Spotted(
                "transaction_hash", shown.transaction, chain=shown.chain, problem=_hash_problem(shown.transaction)
            )
        if shown.address:
            checked = addresses.check(shown.address)
            problem = checked.problem if checked else None
            yield Spotted("wallet_address", shown.address, chain=shown.chain, problem=problem)
        if shown.token:
            yield Spotted("token", shown.token, chain=shown.chain)
    for url in _URL.finditer(text):
        address = url[0].rstrip(".,;:!?")
        host = re.sub(r"^https?://", "", address, flags=re.IGNORECASE).split("/", 1)[0]
        if explorers.explorer_of(host) is None:
            yield Spotted("suspect_link", address)
    for match in (*_HASH_LIKE.finditer(text), *_TON_ADDRESS.finditer(text)):
        if any(link.start() <= match.start() < link.end() for link in links):
            continue
        spotted = _value(match[0])
        if spotted:
            yield spotted


def _value(token: str) -> Spotted | None:
    address = addresses.check(token)
    if address:
        if address.problem == "hex_form":
            return Spotted("wallet_address", base58.encode_check(bytes.fromhex(token)), chain="tron")
        return Spotted("wallet_address", token, chain=address.chain, problem=address.problem)
    if _HEX.fullmatch(token):
        digits = len(token.lower().removeprefix("0x"))
        problem = None if digits == 64 else "wrong_length"
        return Spotted("transaction_hash", token, problem=problem) if 56 <= digits <= 72 else None
    return _with_foreign_letters(token) if token[:2] in ("0x", "0X") else _signature(token)


def _with_foreign_letters(token: str) -> Spotted | None:
    if 60 <= len(token) <= 72:
        return Spotted("transaction_hash", token, problem="bad_character")
    return Spotted("wallet_address", token, problem="bad_character") if 38 <= len(token) <= 46 else None


def _signature(token: str) -> Spotted | None:
    """A Solana transaction is named by its signature: 64 bytes in base58."""
    if len(token) not in _SIGNATURE_LENGTHS or not _mixed(token):
        return None
    foreign = base58.foreign_letters(token)
    problem = "bad_character" if foreign else None if len(base58.decode(token)) == 64 else "wrong_length"
    return Spotted("transaction_hash", token, chain="solana", problem=problem)


def _mixed(token: str) -> bool:
    return any(letter.isdigit() for letter in token) and token not in (token.lower(), token.upper())


def _hash_problem(value: str) -> str | None:
    digits = _HEX.fullmatch(value)
    return "wrong_length" if digits and len(digits[2]) != 64 else None


def _amounts(text: str, given: list[amounts.Amount], asked_for: frozenset[str]) -> Iterator[Spotted]:
    for amount in given:
        yield Spotted("amount", f"{amount.number} {amount.token}")
    bare = amounts.bare_amount(text) if "amount" in asked_for else None
    if bare:
        yield Spotted("amount", bare)
    counted = next((amount.token for amount in given if amount.token not in (None, "USD")), None)
    token = counted or next(amounts.tokens(text), None)
    if token:
        yield Spotted("token", token)


def _chains(text: str, given: list[amounts.Amount], asked_for: frozenset[str]) -> Iterator[Spotted]:
    inside = [(amount.start, amount.end) for amount in given]
    hits: list[tuple[int, str]] = []
    for slug, rule in _CHAINS:
        for match in rule.finditer(text):
            if not any(start <= match.start() and match.end() <= end for start, end in inside):
                hits.append((match.start(), slug))
                break
    if not hits and "chain" in asked_for:
        word = re.sub(r"[\s.,!?，。！？~]+|链|网络|主网|network|chain|mainnet", "", text.lower())
        if word in _CHAIN_ANSWERS:
            hits.append((0, _CHAIN_ANSWERS[word]))
    for _, slug in sorted(hits):
        yield Spotted("chain", slug, chain=slug)


def _plain_values(text: str, asked_for: frozenset[str]) -> Iterator[Spotted]:
    version = _VERSION.search(text) or ("app_version" in asked_for and _BARE_VERSION.search(text))
    if version:
        yield Spotted("app_version", version[1])
    device = [match[1].strip() for match in (_DEVICE.search(text), _SYSTEM.search(text)) if match]
    if device:
        yield Spotted("device", ", ".join(dict.fromkeys(device)))
    network = dict.fromkeys(match[1] for match in _NETWORK.finditer(text))
    if network:
        yield Spotted("network_environment", ", ".join(network))


def _order(text: str, asked_for: frozenset[str]) -> Iterator[Spotted]:
    order = _ORDER.search(text) or (_BARE_ORDER.search(text) if "order_number" in asked_for else None)
    if order:
        yield Spotted("order_number", order[1])


def _when(text: str, now: datetime | None) -> Iterator[Spotted]:
    found = _WHEN.search(text) or _CLOCK_ONLY.search(text)
    if found is None:
        return
    words, zone = found[1].strip(), when.zone_words(text)
    said = words if not zone or zone in words.lower() else f"{words} {zone}"
    moment = when.written(said, now) if now else None
    yield Spotted("when", f"{moment} ({said})" if moment else said)


def _mail(text: str, asked_for: frozenset[str]) -> Iterator[Spotted]:
    mail = _MAIL.search(text)
    if mail:
        yield Spotted("account_email", mail[0])
    elif "account_email" in asked_for:
        broken = _MAIL_WITHOUT_DOMAIN.search(text)
        if broken:
            yield Spotted("account_email", broken[0], problem="wrong_format")


def _told_apart(found: dict[str, Spotted], asked_for: frozenset[str]) -> None:
    """An address where only a hash was asked for, and the reverse, is said to be one."""
    address, transaction = found.get("wallet_address"), found.get("transaction_hash")
    if address and not transaction and "transaction_hash" in asked_for and "wallet_address" not in asked_for:
        found["transaction_hash"] = Spotted("transaction_hash", address.value, address.chain, "hash_is_an_address")
    if transaction and not address and "wallet_address" in asked_for and "transaction_hash" not in asked_for:
        found["wallet_address"] = Spotted("wallet_address", transaction.value, transaction.chain, "address_is_a_hash")


def _same_chain(found: dict[str, Spotted], named: list[str]) -> None:
    """The chain a hash or link belongs to stands for the chain; against another that was named, it is a problem."""
    transaction, address = found.get("transaction_hash"), found.get("wallet_address")
    told = (transaction and transaction.chain) or (address and address.chain)
    if told and named:
        problem = None if told in named else "chain_mismatch"
        found["chain"] = Spotted("chain", named[0] if problem else told, chain=told, problem=problem)
    elif address and named and _is_evm(address.value) and not addresses.EVM_CHAINS & set(named):
        found["chain"] = Spotted("chain", named[0], problem="chain_mismatch")
    elif transaction and transaction.chain:
        found["chain"] = Spotted("chain", transaction.chain, chain=transaction.chain)


def _is_evm(value: str) -> bool:
    checked = addresses.check(value)
    return checked is not None and checked.evm
