import re

from odoo import models
from odoo.exceptions import AccessError

CHANNEL = re.compile(r"amazon_order_(\d{1,9})")


class IrWebsocket(models.AbstractModel):
    _inherit = "ir.websocket"

    def _build_bus_channel_list(self, channels):
        """Override of `bus` to let those listen to an Amazon order who may read it."""
        channels = list(channels)
        asked = [
            (channel, match)
            for channel in channels
            if isinstance(channel, str) and (match := CHANNEL.fullmatch(channel))
        ]
        for channel, match in asked:
            channels.remove(channel)
            order = self.env["amazon.order"].browse(int(match[1])).exists()
            try:
                order.check_access("read")
            except AccessError:
                continue
            channels.extend(order)
        return super()._build_bus_channel_list(channels)
