"""What no agent may write: a request for a secret, a secret itself, or a link that is not what it seems."""

import re

from imconnect.domain.readings import Link, LinkVerdict
from imconnect.formats.written import plain
from imconnect.guard.inspection import Guard
from imconnect.guard.links import SHORTENERS, BlockList, inspect_links
from imconnect.guard.words import Words

OBJECTIONS = (
    "contains_secret",
    "asks_for_phrase",
    "asks_for_key",
    "asks_for_password",
    "asks_for_code",
    "asks_for_remote_control",
)
"""Every code `objection` may answer with."""

_REFUSED = (LinkVerdict.LOOKALIKE, LinkVerdict.BLOCKED)
_CLAUSE = re.compile(r"[。！？!?;；\n…]+|[.](?=\s|$)|[,，](?=\s*\S)|:\s")
_REASSURED = re.compile(
    r"(?:不要|不用|别|無需|无需)(?:担心|擔心|着急|著急|客气|紧张)|(?:do not|don.?t"
    r"|no) (?:worry|worries|hesitate|panic)"
)
_NEVER = re.compile(
    r"不要|不会|不會|不得|不应|不應|不可|不能|不需要|不必|不用|无需|無需|勿|切莫|绝不|絕不|从不|從不|永远不"
    r"|永遠不|别(?!人|的)|千万别|禁止|谁都不|没有任何|没有人|沒有人|没人|不含|不包含|不包括|拒绝"
    r"|\bnever\b|\bnot\b|n['’]t\b|\bdont\b|\bwont\b|\bno one\b|\bnobody\b|\bno agent\b|\bno (?:recovery|seed"
    r"|private|password|key|code|phrase|secret)|\bwithout\b|\brefuse\b|\bbeware\b|\bavoid\b"
)
_ASKED_AGAIN = re.compile(r"请|請|麻烦|麻煩|\bplease\b|\bkindly\b|\bjust\b")
_ABOUT_OTHERS = re.compile(
    r"是否|有没有|有沒有|曾经|曾經|任何人|任何|别人|別人|他人|骗子|騙子|对方|對方|陌生人|假客服|冒充|凡是|声称"
    r"|要求您|要求你|索要.{0,8}的都"
    r"|\banyone\b|\bsomeone\b|\bsomebody\b|\banybody\b|\bscammers?\b|\bimpostors?\b|\bwhoever\b|\bdid you\b"
    r"|\bhave you\b|\bwho asks?\b|\bif (?:a|an|any)\b"
)
_BULLET = re.compile(r"\s*(?:[•·*-]|\d{1,2}[.、)])")
_FRAUD = re.compile(r"假|骗|騙|对方|對方|从不|绝不|\bfake\b|\bscam|\bimpostor|\bthey\b|\bnever\b")
_TO_US = re.compile(
    r"给我|給我|发我|發我|告诉我|告訴我|私信我|\b(?:to|with|tell|give|send|show|dm|pm) (?:me"
    r"|us)\b|\bus your\b|\bme your\b"
)
_FROM_US = re.compile(
    r"(?:我们|我們|系统|系統|我)(?:会|會|将|將|已|已经|刚|刚刚|正在)|(?:会|會|将|將|已)(?:自动)?(?:发|發|寄)"
    r"|\b(?:we|i)(?: will|.ll| have|.ve|.m| am| are) (?:e?mail|send|sen[dt]|text|sending)|\bhas been sent\b"
    r"|\bwas sent\b|\bwill (?:be sent|receive|get)\b|会收到|會收到|查收|删除|删掉|刪除|\bdelete\b|\bremove\b"
)
_REQUEST = re.compile(
    r"发(?!现|生|行|布|起|展)|發(?!現|生|行|佈|起|展)|提供|告诉|告訴|给我|給我|报一下|報一下|报给|上传|上傳"
    r"|截图|截圖|拍照|贴|貼|粘贴|私信|回复|回覆|填写|填寫|出示|核对一下|核对您|核對您|说一下|說一下|念一下"
    r"|输入(?:到|在)(?:这里|这儿|聊天|下面|本|对话|此)|索要|我们?需要|我們?需要|需要(?:您|你)(?:的|提供|把)"
    r"|是什么|是什麼|是多少|是几|多少[?？]?$"
    r"|\bsend\b|\bshare\b|\bgive\b|\btell\b|\bprovide\b|\bpost\b|\bpaste\b|\bupload\b|\bsubmit\b|\bforward\b"
    r"|\breply\b|\brespond\b|\bshow\b|\bdm\b|\btype (?:it|them|in|out|your)\b"
    r"|\b(?:we|i|i.ll|we.ll) (?:will |would |do |just |only |also )?(?:need|require|want)\b|\bwhat(?:.s| is"
    r"| are| was)\b|\bread (?:me|out)\b|\bscreenshot\b|\bconfirm your\b|\bverify your\b"
    r"|\bmay i have\b|\bcan i have\b|\blet me (?:have|see|know)\b|\bcould i (?:have|get)\b|\bi need\b|\bi.d need\b"
)
_SECRETS = {
    "asks_for_phrase": Words(
        (
            "助记词", "助記詞", "恢复词", "恢復詞", "恢复短语", "恢復短語", "种子短语", "種子短語", "备份词",
            "備份詞", "注记词", "註記詞",
            "12个单词", "24个单词", "十二个单词", "seed phrase", "seed words", "recovery phrase", "recovery words",
            "secret phrase", "backup phrase", "mnemonic", "your seed", "12 words", "24 words", "twelve words",
            "secret recovery", "wallet phrase", "12-word", "24-word", "seedphrase",
        )
    ),
    "asks_for_key": Words(
        (
            "私钥", "私鑰", "密钥", "密鑰", "秘钥", "private key", "privatekey", "private-key", "secret key",
            "keystore", "key store",
            "signing key", "privkey",
        )
    ),
    "asks_for_code": Words(
        (
            "验证码", "驗證碼", "校验码", "动态码", "動態碼", "动态口令", "动态密码", "谷歌验证", "短信码", "确认码",
            "|otp|", "|2fa|", "2fa code",
            "verification code", "security code", "one-time code", "one time code", "one-time password", "sms code",
            "login code", "authenticator code", "authentication code", "6-digit code", "six-digit code",
            "6 digit code",
            "code you received", "code we sent", "code you got", "confirmation code",
        )
    ),
    "asks_for_password": Words(
        ("密码", "密碼", "口令", "password", "passcode", "|pin|", "|pin code|", "passphrase", "|pwd|")
    ),
}  # fmt: skip
_NOT_THE_SECRET = re.compile(
    r"(?:密码|密碼|password|验证码|驗證碼|pin)[ ]?(?:重置|重設|重设|找回|修改|更改|设置|設置|页面|頁面|错误"
    r"|錯誤|reset|page|change|manager|policy|link|field|hint|error|screen)"
    r"|(?:重置|重设|找回|修改|忘记|忘記|reset|forgot|forgotten|change)(?:了)?(?:您的|你的|登录| your| the"
    r"| my)?[ ]?(?:密码|密碼|password)|公钥|public key"
)
_REMOTE = Words(
    (
        "anydesk", "any desk", "teamviewer", "team viewer", "todesk", "rustdesk", "向日葵", "ultraviewer",
        "quick assist",
        "远程控制", "遠端控制", "远程协助", "遠端協助", "远程桌面", "遠端桌面", "远程操作", "远程帮", "远程连",
        "remote control",
        "remote access", "remote desktop", "remote assist", "remote session", "remotely control",
        "control your screen",
        "share your screen", "screen share", "screen-share", "screen sharing", "共享屏幕", "屏幕共享", "分享屏幕",
        "螢幕分享",
    )
)  # fmt: skip


def objection(text: str, guard: Guard) -> str | None:
    """Why *text* may not go out, as one of `OBJECTIONS`, or None. Warnings about secrets are not requests for them."""
    if guard.inspect(text).secret is not None:
        return "contains_secret"
    before, listed_as_fraud = "", False
    for line in _REASSURED.sub(" ", plain(text).lower()).split("\n"):
        if not _BULLET.match(line):
            listed_as_fraud = bool(_FRAUD.search(line))
        elif listed_as_fraud:
            continue
        for clause in filter(str.strip, _CLAUSE.split(line)):
            asked = _asked_for(clause) or _asked_for_across(before, clause)
            if asked:
                return asked
            before = clause
    return None


def refused_links(text: str, official: frozenset[str], blocked: BlockList | None = None) -> tuple[Link, ...]:
    """The links of *text* that may not go out to a customer: look-alikes, blocked hosts, numbers, shortened ones."""
    links = inspect_links(text, official, blocked)
    return tuple(link for link in links if link.verdict in _REFUSED or link.host.removeprefix("www.") in SHORTENERS)


def links_to_confirm(text: str, official: frozenset[str], blocked: BlockList | None = None) -> tuple[Link, ...]:
    """The links of *text* that lead neither to us nor to an explorer: whoever sends them says so a second time."""
    refused = refused_links(text, official, blocked)
    links = inspect_links(text, official, blocked)
    return tuple(link for link in links if link.verdict is LinkVerdict.UNKNOWN and link not in refused)


def _asked_for(clause: str) -> str | None:
    """What one clause asks for, if it asks for something nobody may ask for."""
    if _REMOTE.within(clause) and not _denied(clause) and not _of_others(clause):
        return "asks_for_remote_control"
    request = _REQUEST.search(clause)
    if request is None or _denied(clause) or _of_others(clause) or _FROM_US.search(clause):
        return None
    named = _NOT_THE_SECRET.sub(" ", clause)
    return next((code for code, words in _SECRETS.items() if words.within(named)), None)


def _asked_for_across(before: str, clause: str) -> str | None:
    """ "Your recovery phrase, send it to me": the thing in one clause, the request in the next."""
    if len(before) > 60 or not _TO_US.search(clause) or _denied(before):
        return None
    return _asked_for(f"{before} {clause}")


def _of_others(clause: str) -> bool:
    return bool(_ABOUT_OTHERS.search(clause)) and not _TO_US.search(clause)


def _denied(clause: str) -> bool:
    """Whether the clause says "never": a "please" after it asks all the same."""
    never = _NEVER.search(clause)
    return bool(never) and not _ASKED_AGAIN.search(clause, never.end() if never else 0)
