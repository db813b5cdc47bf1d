from odoo import api, models


class AmazonActionDoubt(models.AbstractModel):
    """Evidence that what an action asks for may be at Amazon already, beside what the
    order itself shows.

    A model that inherits from this one is asked before each sending: that registers it.
    """

    _name = "amazon.action.doubt"
    _description = "Evidence Against Sending an Amazon Action"

    def _doubt(self, action):
        """Hook: return the sentence that says what speaks against it, or False.

        :param amazon.action action: the one that is about to leave
        :rtype: str | bool
        """
        raise NotImplementedError

    @api.model
    def _of(self, action):
        """Return the first sentence that speaks against sending an action, or False.

        :param amazon.action action: the one that is about to leave
        :rtype: str | bool
        """
        names = self.env.registry.descendants(["amazon.action.doubt"], "_inherit")
        doubts = (
            self.env[name]._doubt(action)
            for name in sorted(names)
            if name != self._name
        )
        return next(filter(None, doubts), False)
