from odoo import api, models


class AmazonAlarmFollower(models.AbstractModel):
    """What follows when an alarm begins or ends, in the same transaction.

    Each is a model ``amazon.alarm.follower.<x>``, in the room of what follows, which
    inherits from this one: that registers it.
    """

    _name = "amazon.alarm.follower"
    _description = "What Follows from an Amazon Alarm"

    def _follow(self, alarm, state_from, state_to):
        """Hook: do what follows.

        :param amazon.alarm alarm: that has moved
        :param state_from: False where it has just begun
        :param str state_to: its state now
        """
        raise NotImplementedError

    @api.model
    def _all(self):
        """Return all that are registered.

        :rtype: list
        """
        names = self.env.registry.descendants(["amazon.alarm.follower"], "_inherit")
        return [self.env[name] for name in names if name != "amazon.alarm.follower"]
