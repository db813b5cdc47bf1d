from odoo.addons.amazon_order_actions.tests.common import (  # noqa: F401 - for tests
    CANCEL_REQUESTED,
    CANCELLED,
    CLAIMED,
    FBA_SHIPPED,
    FBA_UNSHIPPED,
    FULLY_REFUNDED,
    GIFT_WRAPPED,
    MCF,
    NOWHERE,
    PARTIALLY_SHIPPED,
    PARTLY_REFUNDED,
    PENDING,
    PROMOTION,
    SHIPPED,
    THREE_UNITS,
    UNSHIPPED,
    AmazonOrderCommon,
    shared_simulator,
)


class AmazonCommon(AmazonOrderCommon):
    """The same with a helpdesk: a team, people who work with tickets, and tickets."""

    WORKS_WITH_DOCUMENTS = (
        "helpdesk_mgmt.group_helpdesk_user",
        *AmazonOrderCommon.WORKS_WITH_DOCUMENTS,
    )

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.team = cls.env["helpdesk.ticket.team"].create(
            {"name": "Amazon", "company_id": cls.company.id}
        )

    @classmethod
    def _open_mailbox(cls):
        """Let mails to orders@shop.example become tickets of the team."""
        domain = cls.env["mail.alias.domain"].create({"name": "shop.example"})
        cls.company.alias_domain_id = domain
        cls.team.write({"alias_name": "orders", "alias_domain_id": domain.id})

    @classmethod
    def _create_own_agent(cls):
        """Override: own tickets."""
        return cls._create_user(
            "amazon_own",
            "helpdesk_mgmt.group_helpdesk_user_own",
            "amazon_order_actions.group_refund",
        )

    def create_ticket(self, ref=False, read=True, **values):
        """Create a ticket about an Amazon order, with the order read.

        :param str ref: Amazon's order number
        :param bool read: whether the reading has come back already
        """
        ticket = self.env["helpdesk.ticket"].create(
            {
                "name": "Where is my parcel?",
                "description": "<p>Please help.</p>",
                "company_id": self.company.id,
                "team_id": self.team.id,
                "amazon_order_ref": ref,
                **values,
            }
        )
        if read:
            self.run_jobs("_job_read")
        return ticket
