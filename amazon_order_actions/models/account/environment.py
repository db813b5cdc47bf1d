from odoo import api, models

# Whose account it is at Amazon, and where: what an environment forgets follows from it.
PLACE = ("seller_id", "region", "environment", "simulator_url")


class AmazonSellerEnvironment(models.AbstractModel):
    """Where an account is: chosen by a person, and never assumed. What another place
    makes of no use is said before it is saved."""

    _name = "amazon.seller.environment"
    _description = "Amazon Environment of a Seller Account"

    # === COMPUTE METHODS === #

    @api.depends(*PLACE)
    @api.depends_context("lang")
    def _compute_environment_notice(self):
        for account in self:
            former = account._origin
            is_moved = former and any(account[name] != former[name] for name in PLACE)
            said = account._forgotten_since(former) if is_moved else []
            account.environment_notice = bool(said) and "\n".join(
                [self.env._("When you save this:"), *(f"• {each}" for each in said)]
            )

    def _forgotten_since(self, former):
        """Hook: say what is forgotten, or stays behind, once it is saved that the
        account is elsewhere.

        :param amazon.seller.account former: the account as it is stored
        :return: sentences
        :rtype: list[str]
        """
        self.ensure_one()
        said = []
        if former._sealed_secrets() and former._is_simulated() != self._is_simulated():
            said.append(
                self.env._(
                    "The client secret and the refresh token are forgotten, since they "
                    "are kept for Amazon or for the simulator alone. Enter those of "
                    "the other one."
                )
            )
        if former.capability_ids:
            said.append(
                self.env._(
                    "What the last test of the connection has shown is forgotten. Test "
                    "it again."
                )
            )
        # sudo: it is forgotten, whoever looks
        if former.sudo().watermark_ids:
            said.append(
                self.env._(
                    "It is forgotten how far Amazon's lists were read. They are read "
                    "anew, and orders are asked for one by one until then."
                )
            )
        if former.environment and not self.environment:
            said.append(
                self.env._("Nothing is asked of Amazon or sent to it any more.")
            )
        return said

    # === GETTERS === #

    def _is_environment_missing(self):
        """Whether nobody has chosen yet where the account is."""
        self.ensure_one()
        if self.environment == "simulator":
            return False
        return not (self.environment and self.region)

    def _describe_environment_missing(self):
        """Say what to choose before anything is called."""
        self.ensure_one()
        return self.env._(
            "Nothing is asked of Amazon or sent to it for the account %(account)s, "
            "since it has no region or no environment yet. An administrator chooses "
            "both under Amazon > Configuration > Seller Accounts: Production for the "
            "real shop, where refunds move money; the sandbox of Amazon or the "
            "simulator to try it out.",
            account=self.name,
        )
