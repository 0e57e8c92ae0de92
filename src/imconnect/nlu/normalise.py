"""One spelling for what people write in many: width, case, script, apostrophes, stretched letters, hidden signs."""

import re
import unicodedata
from functools import cache
from importlib.resources import files

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"

# Folded beyond OpenCC's table: variants that customers and packs use for the same word.
VARIANTS = {"帐": "账", "著": "着", "妳": "你", "祂": "他", "牠": "它", "瞭": "了", "覆": "复", "唸": "念", "佈": "布"}

# Whole words that Taiwan, Hong Kong and dictation write differently; applied after the characters are simplified.
REGIONAL = {
    "甚么": "什么",
    "点解": "为什么",
    "点样": "怎样",
    "边个": "谁",
    "边度": "哪里",
    "几时": "什么时候",
    "而家": "现在",
    "依家": "现在",
    "唔该": "请",
    "帮手": "帮忙",
    "冇": "没有",
    "唔": "不",
    "咗": "了",
    "嘅": "的",
    "嘢": "东西",
    "啲": "些",
    "佢": "他",
    "咁": "这么",
    "喺": "在",
    "睇": "看",
    "揾": "找",
    "攞": "拿",
    "俾": "给",
    "畀": "给",
    "嚟": "来",
    "哋": "们",
    "登陆": "登录",
    "登入": "登录",
    "网路": "网络",
    "软体": "软件",
    "程式": "程序",
    "萤幕": "屏幕",
    "讯息": "信息",
    "资讯": "信息",
    "简讯": "短信",
    "帐户": "账户",
    "手机号码": "手机号",
    "行动电话": "手机",
    "信箱": "邮箱",
    "电邮": "邮箱",
    "预设": "默认",
    "汇入": "导入",
    "汇出": "导出",
    "扫描": "扫",
    "连结": "链接",
    "硬体": "硬件",
    "私钥匙": "私钥",
    "注记词": "助记词",
    "助忆词": "助记词",
    "客服人员": "客服",
}

INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
APOSTROPHE = re.compile("(?<=\\w)['’‘ʼ`´](?=\\w)")
STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
SPACE = re.compile(r"\s+")
UNSPOKEN = re.compile(
    r"""
      https?://[!-~]+ | www\.[!-~]+                                              # links
    | (?<![a-z0-9_.+-])[a-z0-9_.+-]{1,64}@[a-z0-9-]+\.[a-z0-9.-]+                # e-mail addresses
    | (?<![a-z0-9])0x[0-9a-f]{6,}                                               # hashes and addresses of EVM chains
    | (?<![a-z0-9])(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{20,}                        # any other long identifier
    | (?<![a-z0-9])\d(?:[\d.,:/-]{0,40}\d)?u?(?![a-z0-9])                       # amounts, dates, times
    """,
    re.VERBOSE,
)
LETTERS = re.compile(r"[^\W_]+")
_REGIONAL = re.compile("|".join(sorted(map(re.escape, REGIONAL), key=len, reverse=True)))


@cache
def table() -> tuple[dict[int, str], frozenset[str], frozenset[str]]:
    """Traditional to simplified, the characters of simplified text alone, and those of traditional text alone."""
    text = (files("imconnect.nlu") / "tables" / "traditional.txt").read_text(encoding="utf-8")
    traditional, simplified, only_simplified, only_traditional = (
        line for line in text.splitlines() if not line.startswith("#")
    )
    folded = {ord(t): VARIANTS.get(s, s) for t, s in zip(traditional, simplified, strict=True)}
    folded |= {ord(key): value for key, value in VARIANTS.items()}
    return folded, frozenset(only_simplified), frozenset(only_traditional)


def visible(text: str) -> str:
    """*text* in compatibility form (NFKC) without characters that show nothing."""
    return INVISIBLE.sub("", unicodedata.normalize("NFKC", text))


def simplified(text: str) -> str:
    """*text* with traditional characters and regional words in their mainland form: for comparing, not for showing."""
    return _REGIONAL.sub(lambda found: REGIONAL[found[0]], text.translate(table()[0]))


def normalise(text: str) -> str:
    """The one spelling of *text*: what two people who mean the same words both become."""
    plain = APOSTROPHE.sub("", visible(text).lower())
    return SPACE.sub(" ", simplified(STRETCHED.sub(r"\1\1", plain))).strip()


def spoken(text: str) -> str:
    """`normalise` without what carries no topic: links, addresses, hashes, numbers."""
    return SPACE.sub(" ", UNSPOKEN.sub(" ", normalise(text))).strip()


def squeezed(text: str) -> str:
    """The letters of `spoken` and nothing else: equal for texts that differ in spaces, punctuation or numbers alone."""
    return "".join(LETTERS.findall(spoken(text)))
