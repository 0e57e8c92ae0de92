"""Paragraphs that were cut for the way put together again: format=flowed (RFC 3676)."""


def unflow(text: str, *, delete_space: bool) -> str:
    """*text* with soft line ends undone. Quote depths stay, written as `>` signs; a signature's line stays alone."""
    lines: list[list[str]] = []
    open_depth: int | None = None
    for line in text.replace("\r\n", "\n").split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")
        signature = content == "-- "
        soft = content.endswith(" ") and not signature
        if soft and delete_space:
            content = content[:-1]
        if open_depth == depth and not signature:
            lines[-1].append(content)
        else:
            lines.append([">" * depth + " " if depth else "", content])
        open_depth = depth if soft else None
    whole = ("".join(pieces) for pieces in lines)
    return "\n".join(line if line == "-- " else line.rstrip(" ") for line in whole)
