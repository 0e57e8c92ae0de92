"""The adapter as a desk has it: what it delivers as marks, its kit recalls."""

from collections.abc import Sequence

from imconnect.ports import Deliver, Item, Kit, Mark
from imconnect_email import EmailAdapter


class WithItsDesk(EmailAdapter):
    """Marks are kept once what they came with is stored."""

    async def equip(self, kit: Kit) -> None:
        self.kit = kit
        await super().equip(kit)

    async def listen(self, deliver: Deliver) -> None:
        async def kept(items: Sequence[Item]) -> None:
            await deliver(items)
            for item in items:
                if isinstance(item, Mark):
                    await self.kit.remember(item.name, item.value)

        await super().listen(kept)
