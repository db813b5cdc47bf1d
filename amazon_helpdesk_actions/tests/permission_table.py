"""Who may do what: the one table that the permission tests are made from.

It says what is wanted. ``test_permission_matrix.py`` tries every cell of it the way an
RPC does, and fails for a model, a protected field, a public method or a route of our
addons that has no row here. Rows of an addon that is not installed are left out.

A column is a person with the groups in ``PERSONAS`` and no others. Nobody has a right
by default; what a person may do is the sum of the columns of that person's groups.

Every cell is tried four times:

- in the person's own company: what the cell says;
- in a company that the person has no access to: refused, whatever the cell says;
- with access to both companies and one of them active, on a record of the other:
  refused, whatever the cell says;
- with access to both and both active, in the second company: what the cell says.

The rows of ``SHARED`` belong to no company: they are tried in the first way alone.
The rows of ``OWN`` are dialogs: what the cell says holds for the dialogs that a person
has opened; those of others are refused in each case.
"""

HELPDESK = "helpdesk_mgmt.group_helpdesk_user"
SALES = "sales_team.group_sale_salesman_all_leads"
# Of the addon beside; nobody is in the column "stock" where it is missing.
STOCK = "stock.group_stock_user"
EXPORT = "base.group_allow_export"


def _groups(*names):
    return ("base.group_user", EXPORT, *names)


def _agent(right):
    return _groups(HELPDESK, SALES, f"amazon_order_actions.group_{right}")


def _alone(right):
    return _groups(f"amazon_order_actions.group_{right}")


PERSONAS = {
    # nobody who is logged in, and a customer
    "public": ("base.group_public",),
    "portal": ("base.group_portal",),
    # employees without a group of Amazon's
    "staff": _groups(),
    "own": _groups("helpdesk_mgmt.group_helpdesk_user_own"),
    "team": _groups("helpdesk_mgmt.group_helpdesk_user_team"),
    "manager": _groups("helpdesk_mgmt.group_helpdesk_manager"),
    "sales": _groups(SALES),
    "stock": _groups(STOCK),
    "books": _groups("account.group_account_invoice"),
    # who works with tickets and sale orders, with one group of Amazon's each
    "refund": _agent("refund"),
    "cancel": _agent("cancel"),
    "edit": _agent("edit"),
    "message": _agent("message"),
    "approve": _agent("approve"),
    "journal": _agent("journal"),
    "admin": _agent("admin"),
    # one group of Amazon's and nothing else
    "approve0": _alone("approve"),
    "journal0": _alone("journal"),
    "admin0": _alone("admin"),
    # Odoo's own administrator, without a group of Amazon's
    "system": _groups("base.group_system"),
}


def _rows(text, columns=None):
    """Return the cells of a table in a text, by row and column.

    :param columns: names of the columns; `PERSONAS` when None
    :rtype: dict[str, dict[str, str]]
    """
    columns = columns or PERSONAS
    rows = {}
    heading, *lines = text.strip().splitlines()
    if heading.split() != list(columns):
        raise ValueError(f"These are not the columns: {heading}")
    for line in lines:
        name, *cells = line.split()
        if len(cells) != len(columns):
            raise ValueError(f"{name} has {len(cells)} cells, not {len(columns)}")
        if name in rows:
            raise ValueError(f"{name} is there twice")
        rows[name] = dict(zip(columns, cells, strict=True))
    return rows


# What a person may do with the records of a model: r read (and search, export, group,
# look up by name), w write, c create, d delete. A dot: nothing at all.
MODELS = _rows(
    """
                                                      public portal staff own  team manager sales stock books refund cancel edit message approve journal admin approve0 journal0 admin0 system
amazon.account.kind                                   .      .      .     r    r    r       r     .     .     r      r      r    r       r       r       rw    r        r        rw     .
amazon.action                                         .      .      .     r    r    r       .     .     .     r      r      r    r       r       r       r     r        r        .      .
amazon.action.line                                    .      .      .     r    r    r       .     .     .     r      r      r    r       r       r       r     r        r        .      .
amazon.alarm                                          .      .      .     .    .    .       .     .     .     .      .      .    .       .       r       r     .        r        r      .
amazon.approval                                       .      .      .     r    r    r       .     .     .     r      r      r    r       r       r       r     r        r        .      .
amazon.audit.anchor                                   .      .      .     .    .    .       .     .     .     .      .      .    .       .       r       .     .        r        .      .
amazon.audit.check                                    .      .      .     .    .    .       .     .     .     .      .      .    .       .       r       .     .        r        .      .
amazon.audit.entry                                    .      .      .     .    .    .       .     .     .     .      .      .    .       .       r       .     .        r        .      .
amazon.audit.link                                     .      .      .     .    .    .       .     .     .     .      .      .    .       .       r       .     .        r        .      .
amazon.authority                                      .      .      .     .    .    .       .     .     .     .      .      .    .       .       r       rwcd  .        r        rwcd   .
amazon.careful.limit                                  .      .      .     .    .    .       .     .     .     .      .      .    .       .       r       rwcd  .        r        rwcd   .
amazon.call                                           .      .      .     .    .    .       .     .     .     .      .      .    .       .       r       .     .        r        .      .
amazon.delegation                                     .      .      .     .    .    .       .     .     .     .      .      .    .       .       r       rwc   .        r        rwc    .
amazon.failure                                        .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       r     .        .        r      .
amazon.feed                                           .      .      .     .    .    .       .     .     .     .      .      .    .       .       r       .     .        r        .      .
amazon.file                                           .      .      .     .    .    .       .     .     .     r      r      r    r       r       r       r     .        .        .      .
amazon.foreign.feed                                   .      .      .     .    .    .       .     .     .     .      .      .    .       .       r       r     .        r        r      .
amazon.order                                          .      .      .     r    r    r       r     .     .     r      r      r    r       r       r       r     r        r        .      .
amazon.order.charge                                   .      .      .     r    r    r       r     .     .     r      r      r    r       r       r       r     r        r        .      .
amazon.order.line                                     .      .      .     r    r    r       r     .     .     r      r      r    r       r       r       r     r        r        .      .
amazon.order.refund                                   .      .      .     r    r    r       r     .     .     r      r      r    r       r       r       r     r        r        .      .
amazon.quota                                          .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       r     .        .        r      .
amazon.reply                                          .      .      .     r    r    r       .     .     .     r      r      r    r       r       r       r     r        r        .      .
amazon.reply.template                                 .      .      .     .    .    .       .     .     .     .      .      .    r       .       .       rwcd  .        .        rwcd   .
amazon.seller.account                                 .      .      .     r    r    r       r     .     .     r      r      r    r       r       r       rwcd  r        r        rwcd   .
amazon.seller.capability                              .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       rwcd  .        .        rwcd   .
amazon.seller.participation                           .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       rwcd  .        .        rwcd   .
amazon.stop                                           .      .      .     .    .    .       .     .     .     .      .      .    .       .       r       r     .        r        r      .
amazon.watermark                                      .      .      .     .    .    .       .     .     .     .      .      .    .       .       r       r     .        r        r      .
"""  # noqa: E501
)

# Models whose records belong to no company.
SHARED = _rows(
    """
                                                      public portal staff own  team manager sales stock books refund cancel edit message approve journal admin approve0 journal0 admin0 system
amazon.life                                           .      .      .     .    .    .       .     .     .     .      .      .    .       .       r       r     .        r        r      .
amazon.sending                                        .      .      .     .    .    .       .     .     .     .      .      .    .       .       r       .     .        r        .      .
amazon.host.clock                                     .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       r     .        .        r      .
"""  # noqa: E501
)

# Dialogs, which only who opened one can see. A decision can only be opened on a kind of
# action that the person may ask for; here it is about a refund.
OWN = _rows(
    """
                                                      public portal staff own  team manager sales stock books refund cancel edit message approve journal admin approve0 journal0 admin0 system
amazon.refund.request                                 .      .      .     .    .    .       .     .     .     rwc    .      .    .       .       .       .     .        .        .      .
amazon.refund.request.line                            .      .      .     .    .    .       .     .     .     rwcd   .      .    .       .       .       .     .        .        .      .
amazon.cancel.request                                 .      .      .     .    .    .       .     .     .     .      rwc    .    .       .       .       .     .        .        .      .
amazon.cancel.request.line                            .      .      .     .    .    .       .     .     .     .      rwcd   .    .       .       .       .     .        .        .      .
amazon.edit.request                                   .      .      .     .    .    .       .     .     .     .      rwc    rwc  .       .       .       .     .        .        .      .
amazon.ship.request                                   .      .      .     .    .    .       .     .     .     .      .      rwc  .       .       .       .     .        .        .      .
amazon.ship.request.line                              .      .      .     .    .    .       .     .     .     .      .      rwc  .       .       .       .     .        .        .      .
amazon.order_number.request                           .      .      .     .    .    .       .     .     .     .      .      rwc  .       .       .       .     .        .        .      .
amazon.fulfillment.cancel.request                     .      .      .     .    .    .       .     .     .     .      rwc    .    .       .       .       .     .        .        .      .
amazon.fulfillment.request                            .      .      .     .    .    .       .     .     .     .      .      rwc  .       .       .       .     .        .        .      .
amazon.fulfillment.request.line                       .      .      .     .    .    .       .     .     .     .      .      rwcd .       .       .       .     .        .        .      .
amazon.reply.request                                  .      .      .     .    .    .       .     .     .     .      .      .    rwc     .       .       .     .        .        .      .
amazon.unknown.decision                               .      .      .     .    .    .       .     .     .     rwc    rw     rw   rw      .       .       .     .        .        .      .
amazon.authority.check                                .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       rwc   .        .        rwc    .
amazon.sample.request                                 .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       rwc   .        .        rwc    .
amazon.stop.request                                   .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       rwc   .        .        rwc    .
amazon.life.decision                                  .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       rwc   .        .        rwc    .
amazon.stop.end.request                               .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       rwc   .        .        rwc    .
amazon.approval.decision                              .      .      .     rw   rw   rw      .     .     .     rw     rw     rw   rw      rwc     rw      rw    rwc      rw       .      .
amazon.audit.export                                   .      .      .     .    .    .       .     .     .     .      .      .    .       .       rwc     .     .        rwc      .      .
amazon.audit.settings                                 .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       rwc   .        .        rwc    .
amazon.health.settings                                .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       rwc   .        .        rwc    .
amazon.evidence.request                               .      .      .     .    .    .       .     .     .     rwc    rwc    rwc  rwc     rwc     rwc     rwc   rwc      rwc      rw     .
"""  # noqa: E501
)

# Public methods, called on a record where it is possible: + it goes through, ! it is
# refused with a sentence that says why (the transfer is on hold; the order was not read
# lately), a dot: refused for want of a right. In brackets: the kind of action.
METHODS = _rows(
    """
                                                      public portal staff own  team manager sales stock books refund cancel edit message approve journal admin approve0 journal0 admin0 system
amazon.action.action_cancel_feed[refund]              .      .      .     .    .    .       .     .     .     +      .      .    .       .       .       .     .        .        .      .
amazon.action.action_cancel_feed_question[refund]     .      .      .     .    .    .       .     .     .     +      .      .    .       .       .       .     .        .        .      .
amazon.action.action_decide_approval[refund]          .      .      .     .    .    .       .     .     .     .      .      .    .       +       .       .     +        .        .      .
amazon.action.action_decide_unknown[cancel]           .      .      .     .    .    .       .     .     .     .      +      .    .       .       .       .     .        .        .      .
amazon.action.action_decide_unknown[cancel_items]     .      .      .     .    .    .       .     .     .     .      +      .    .       .       .       .     .        .        .      .
amazon.action.action_decide_unknown[mcf_cancel]       .      .      .     .    .    .       .     .     .     .      +      .    .       .       .       .     .        .        .      .
amazon.action.action_decide_unknown[mcf_update]       .      .      .     .    .    .       .     .     .     .      .      +    .       .       .       .     .        .        .      .
amazon.action.action_decide_unknown[message]          .      .      .     .    .    .       .     .     .     .      .      .    +       .       .       .     .        .        .      .
amazon.action.action_decide_unknown[order_number]     .      .      .     .    .    .       .     .     .     .      .      +    .       .       .       .     .        .        .      .
amazon.action.action_decide_unknown[refund]           .      .      .     .    .    .       .     .     .     +      .      .    .       .       .       .     .        .        .      .
amazon.action.action_decide_unknown[ship]             .      .      .     .    .    .       .     .     .     .      .      +    .       .       .       .     .        .        .      .
amazon.action.action_open_origin                      .      .      .     +    +    +       .     .     .     +      +      +    +       +       +       +     .        .        .      .
amazon.action.action_record_by_hand[refund]           .      .      .     .    .    .       .     .     .     +      .      .    .       .       .       .     .        .        .      .
amazon.action.action_try_again                        .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       +     .        .        .      .
amazon.action.action_withdraw[cancel]                 .      .      .     .    .    .       .     .     .     .      +      .    .       .       .       .     .        .        .      .
amazon.action.action_withdraw[cancel_items]           .      .      .     .    .    .       .     .     .     .      +      .    .       .       .       .     .        .        .      .
amazon.action.action_withdraw[mcf_cancel]             .      .      .     .    .    .       .     .     .     .      +      .    .       .       .       .     .        .        .      .
amazon.action.action_withdraw[mcf_update]             .      .      .     .    .    .       .     .     .     .      .      +    .       .       .       .     .        .        .      .
amazon.action.action_withdraw[message]                .      .      .     .    .    .       .     .     .     .      .      .    +       .       .       .     .        .        .      .
amazon.action.action_withdraw[order_number]           .      .      .     .    .    .       .     .     .     .      .      +    .       .       .       .     .        .        .      .
amazon.action.action_withdraw[refund]                 .      .      .     .    .    .       .     .     .     +      .      .    .       .       .       .     .        .        .      .
amazon.action.action_withdraw[ship]                   .      .      .     .    .    .       .     .     .     .      .      +    .       .       .       .     .        .        .      .
amazon.alarm.action_try_again                         .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       +     .        .        +      .
amazon.approval.action_approve                        .      .      .     .    .    .       .     .     .     .      .      .    .       +       .       .     +        .        .      .
amazon.approval.action_decide                         .      .      .     .    .    .       .     .     .     .      .      .    .       +       .       .     +        .        .      .
amazon.approval.action_refuse                         .      .      .     .    .    .       .     .     .     .      .      .    .       +       .       .     +        .        .      .
amazon.approval.decision.action_approve               .      .      .     .    .    .       .     .     .     .      .      .    .       +       .       .     +        .        .      .
amazon.approval.decision.action_refuse                .      .      .     .    .    .       .     .     .     .      .      .    .       +       .       .     +        .        .      .
amazon.audit.anchor.action_download                   .      .      .     .    .    .       .     .     .     .      .      .    .       .       +       .     .        +        .      .
amazon.audit.anchor.init                              .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
amazon.audit.entry.action_export                      .      .      .     .    .    .       .     .     .     .      .      .    .       .       +       .     .        +        .      .
amazon.audit.entry.action_verify                      .      .      .     .    .    .       .     .     .     .      .      .    .       .       +       .     .        +        .      .
amazon.audit.entry.init                               .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
amazon.audit.export.action_download                   .      .      .     .    .    .       .     .     .     .      .      .    .       .       +       .     .        +        .      .
amazon.audit.link.init                                .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
amazon.audit.settings.action_open                     .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       +     .        .        +      .
amazon.audit.settings.action_save                     .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       +     .        .        +      .
amazon.health.settings.action_make                    .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       +     .        .        +      .
amazon.health.settings.action_open                    .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       +     .        .        +      .
amazon.health.settings.action_remove                  .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       +     .        .        +      .
amazon.cancel.request.action_cancel_order             .      .      .     .    .    .       .     .     .     .      +      .    .       .       .       .     .        .        .      .
amazon.cancel.request.action_refund_instead           .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
amazon.cancel.request.action_reply_official_way       .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
amazon.delegation.action_end                          .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       +     .        .        +      .
amazon.edit.request.action_cancel_items               .      .      .     .    .    .       .     .     .     .      +      .    .       .       .       .     .        .        .      .
amazon.edit.request.action_fulfillment                .      .      .     .    .    .       .     .     .     .      .      +    .       .       .       .     .        .        .      .
amazon.edit.request.action_order_number               .      .      .     .    .    .       .     .     .     .      .      +    .       .       .       .     .        .        .      .
amazon.edit.request.action_ship                       .      .      .     .    .    .       .     .     .     .      .      +    .       .       .       .     .        .        .      .
amazon.evidence.request.action_pdf                    .      .      .     .    .    .       .     .     .     +      +      +    +       +       +       +     +        +        .      .
amazon.evidence.request.action_zip                    .      .      .     .    .    .       .     .     .     +      +      +    +       +       +       +     +        +        .      .
amazon.feed.action_amazon_files                       .      .      .     .    .    .       .     .     .     .      .      .    .       .       +       .     .        +        .      .
amazon.feed.action_try_again                          .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
amazon.file.action_download                           .      .      .     .    .    .       .     .     .     +      +      +    +       +       +       +     .        .        .      .
amazon.fulfillment.cancel.request.action_cancel_order .      .      .     .    .    .       .     .     .     .      +      .    .       .       .       .     .        .        .      .
amazon.fulfillment.request.action_change              .      .      .     .    .    .       .     .     .     .      .      +    .       .       .       .     .        .        .      .
amazon.life.decision.action_decide                    .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       +     .        .        +      .
amazon.order.action_amazon_evidence                   .      .      .     .    .    .       .     .     .     +      +      +    +       +       +       +     +        +        .      .
amazon.order.action_amazon_files                      .      .      .     .    .    .       .     .     .     +      +      +    +       +       +       +     +        +        .      .
amazon.order.action_refresh                           .      .      .     +    +    +       +     .     .     +      +      +    +       +       +       +     +        +        .      .
amazon.order.refresh_if_stale                         .      .      .     +    +    +       +     .     .     +      +      +    +       +       +       +     +        +        .      .
amazon.order_number.request.action_send_number        .      .      .     .    .    .       .     .     .     .      .      +    .       .       .       .     .        .        .      .
amazon.refund.request.action_refund                   .      .      .     .    .    .       .     .     .     +      .      .    .       .       .       .     .        .        .      .
amazon.reply.request.action_send                      .      .      .     .    .    .       .     .     .     .      .      .    +       .       .       .     .        .        .      .
amazon.seller.account.init                            .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
amazon.seller.account.action_decide_life              .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       +     .        .        +      .
amazon.seller.account.action_reencrypt                .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       +     .        .        +      .
amazon.seller.account.action_remove_sample            .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       +     .        .        +      .
amazon.seller.account.action_resume                   .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       +     .        .        +      .
amazon.seller.account.action_open_setup               .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       +     .        .        +      .
amazon.seller.account.action_setup_back               .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       +     .        .        +      .
amazon.seller.account.action_setup_go                 .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       +     .        .        +      .
amazon.seller.account.action_setup_next               .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       +     .        .        +      .
amazon.seller.account.action_setup_try                .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       +     .        .        +      .
amazon.sample.request.action_connect                  .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       !     .        .        !      .
amazon.seller.account.action_test_connection          .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       +     .        .        +      .
amazon.ship.request.action_ship                       .      .      .     .    .    .       .     .     .     .      .      +    .       .       .       .     .        .        .      .
amazon.ship.request.action_ship_and_next              .      .      .     .    .    .       .     .     .     .      .      +    .       .       .       .     .        .        .      .
amazon.stop.action_decide                             .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       +     .        .        +      .
amazon.stop.action_resume                             .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       +     .        .        +      .
amazon.stop.end.request.action_resume                 .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       +     .        .        +      .
amazon.stop.request.action_stop                       .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       +     .        .        +      .
amazon.stop.request.action_stop_everything            .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       +     .        .        +      .
amazon.unknown.decision.action_executed               .      .      .     .    .    .       .     .     .     +      .      .    .       .       .       .     .        .        .      .
amazon.unknown.decision.action_refresh                .      .      .     .    .    .       .     .     .     +      +      +    +       .       .       .     .        .        .      .
amazon.unknown.decision.action_send_again             .      .      .     .    .    .       .     .     .     !      .      .    .       .       .       .     .        .        .      .
base.module.uninstall.action_export_amazon_journal    .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      +
helpdesk.ticket.action_amazon_cancel                  .      .      .     .    .    .       .     .     .     .      +      .    .       .       .       .     .        .        .      .
helpdesk.ticket.action_amazon_edit                    .      .      .     .    .    .       .     .     .     .      +      +    .       .       .       .     .        .        .      .
helpdesk.ticket.action_amazon_evidence                .      .      .     .    .    .       .     .     .     +      +      +    +       +       +       +     .        .        .      .
helpdesk.ticket.action_amazon_files                   .      .      .     .    .    .       .     .     .     +      +      +    +       +       +       +     .        .        .      .
helpdesk.ticket.action_amazon_fulfillment             .      .      .     .    .    .       .     .     .     .      .      +    .       .       .       .     .        .        .      .
helpdesk.ticket.action_amazon_order_number            .      .      .     .    .    .       .     .     .     .      .      +    .       .       .       .     .        .        .      .
helpdesk.ticket.action_amazon_refund                  .      .      .     .    .    .       .     .     .     +      .      .    .       .       .       .     .        .        .      .
helpdesk.ticket.action_amazon_reply                   .      .      .     .    .    .       .     .     .     .      .      .    +       .       .       .     .        .        .      .
helpdesk.ticket.action_amazon_ship                    .      .      .     .    .    .       .     .     .     .      .      +    .       .       .       .     .        .        .      .
helpdesk.ticket.create                                .      .      .     +    +    +       .     .     .     +      +      +    +       +       +       +     .        .        .      .
helpdesk.ticket.message_new                           .      .      .     +    +    +       .     .     .     +      +      +    +       +       +       +     .        .        .      .
helpdesk.ticket.message_update                        .      .      .     +    +    +       .     .     .     +      +      +    +       +       +       +     .        .        .      .
helpdesk.ticket.team.write                            .      .      .     .    .    +       .     .     .     .      .      .    .       .       .       .     .        .        .      .
helpdesk.ticket.write                                 .      .      .     +    +    +       .     .     .     +      +      +    +       +       +       +     .        .        .      .
ir.module.module.button_uninstall                     .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      !
mail.message.write                                    .      .      .     +    +    +       .     .     .     +      +      +    +       +       +       +     .        .        .      .
queue.job.create                                      .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
queue.job.write                                       .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
res.company.write                                     .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      +
res.groups.create                                     .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      +
res.groups.unlink                                     .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      +
res.groups.write                                      .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      +
res.users.create                                      .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      +
res.users.unlink                                      .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      +
res.users.write                                       .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      +
sale.order.action_amazon_cancel                       .      .      .     .    .    .       .     .     .     .      +      .    .       .       .       .     .        .        .      .
sale.order.action_amazon_edit                         .      .      .     .    .    .       .     .     .     .      +      +    .       .       .       .     .        .        .      .
sale.order.action_amazon_evidence                     .      .      .     .    .    .       .     .     .     +      +      +    +       +       +       +     .        .        .      .
sale.order.action_amazon_files                        .      .      .     .    .    .       .     .     .     +      +      +    +       +       +       +     .        .        .      .
sale.order.action_amazon_fulfillment                  .      .      .     .    .    .       .     .     .     .      .      +    .       .       .       .     .        .        .      .
sale.order.action_amazon_order_number                 .      .      .     .    .    .       .     .     .     .      .      +    .       .       .       .     .        .        .      .
sale.order.action_amazon_refund                       .      .      .     .    .    .       .     .     .     +      .      .    .       .       .       .     .        .        .      .
sale.order.action_amazon_reply                        .      .      .     .    .    .       .     .     .     .      .      .    +       .       .       .     .        .        .      .
sale.order.action_amazon_ship                         .      .      .     .    .    .       .     .     .     .      .      +    .       .       .       .     .        .        .      .
sale.order.create                                     .      .      .     .    .    .       +     .     .     +      +      +    +       +       +       +     .        .        .      .
sale.order.write                                      .      .      .     .    .    .       +     +     +     +      +      +    +       +       +       +     .        .        .      .
stock.picking.action_amazon_release                   .      .      .     .    .    .       .     +     .     .      .      .    .       .       .       .     .        .        .      .
stock.picking.button_validate                         .      .      .     .    .    .       !     !     !     !      !      !    !       !       !       !     .        .        .      .
"""  # noqa: E501
)

# Fields that not everybody may read who may read the record: r read, and search, sort,
# group, export by it.
FIELDS = _rows(
    """
                                                      public portal staff own  team manager sales stock books refund cancel edit message approve journal admin approve0 journal0 admin0 system
account.move.amazon_action_id                         .      .      .     .    .    .       .     .     r     .      .      .    .       .       .       .     .        .        .      .
amazon.action.call_ids                                .      .      .     .    .    .       .     .     .     .      .      .    .       .       r       .     .        r        .      .
amazon.action.credit_note_ids                         .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
amazon.action.decision_note                           .      .      .     .    .    .       .     .     .     r      r      r    r       r       r       .     r        r        .      .
amazon.action.details                                 .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
amazon.action.follower_trace                          .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       r     .        .        .      .
amazon.action.note                                    .      .      .     .    .    .       .     .     .     r      r      r    r       r       r       .     r        r        .      .
amazon.action.set_aside_trace                         .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       r     .        .        .      .
amazon.action.text_message_id                         .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
amazon.call.token                                     .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
amazon.feed.set_aside_trace                           .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
amazon.file.content                                   .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
amazon.order.cancel_request_reason                    .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
amazon.order.destination_changed_at                   .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
amazon.order.destination_digest                       .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
amazon.order.line.cancel_request_reason               .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
amazon.reply.recipient                                .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
amazon.seller.account.access_token_expires_at         .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
amazon.seller.account.access_token_sealed             .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
amazon.seller.account.careful_limit_ids               .      .      .     .    .    .       .     .     .     .      .      .    .       .       r       r     .        r        r      .
amazon.seller.account.connection_answer               .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       r     .        .        r      .
amazon.seller.account.is_reencryption_due             .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       r     .        .        r      .
amazon.seller.account.lwa_client_id                   .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       r     .        .        r      .
amazon.seller.account.lwa_client_secret               .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       r     .        .        r      .
amazon.seller.account.lwa_client_secret_date          .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       r     .        .        r      .
amazon.seller.account.lwa_client_secret_hint          .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       r     .        .        r      .
amazon.seller.account.lwa_client_secret_sealed        .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
amazon.seller.account.lwa_refresh_token               .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       r     .        .        r      .
amazon.seller.account.lwa_refresh_token_hint          .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       r     .        .        r      .
amazon.seller.account.lwa_refresh_token_sealed        .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
amazon.seller.account.secrets_problem                 .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       r     .        .        r      .
amazon.seller.account.setup_checks                    .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       r     .        .        r      .
amazon.seller.account.setup_order_answer              .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       r     .        .        r      .
amazon.seller.account.setup_order_ref                 .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       r     .        .        r      .
amazon.seller.account.setup_steps                     .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       r     .        .        r      .
amazon.seller.account.watermark_ids                   .      .      .     .    .    .       .     .     .     .      .      .    .       .       r       r     .        r        r      .
helpdesk.ticket.amazon_action_ids                     .      .      .     r    r    r       .     .     .     r      r      r    r       r       r       r     .        .        .      .
helpdesk.ticket.amazon_mail_sender                    .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
helpdesk.ticket.amazon_order_id                       .      .      .     r    r    r       .     .     .     r      r      r    r       r       r       r     .        .        .      .
helpdesk.ticket.amazon_order_panel                    .      .      .     r    r    r       .     .     .     r      r      r    r       r       r       r     .        .        .      .
mail.mail.amazon_reply_digest                         .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
res.company.amazon_anchor_emails                      .      .      .     .    .    .       .     .     .     .      .      .    .       .       r       r     .        r        r      .
res.company.amazon_health_digest                      .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
res.company.amazon_health_token_at                    .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       r     .        .        r      .
sale.order.amazon_action_ids                          .      .      .     .    .    .       r     .     .     r      r      r    r       r       r       r     .        .        .      .
sale.order.amazon_order_id                            .      .      .     .    .    .       r     .     .     r      r      r    r       r       r       r     .        .        .      .
sale.order.amazon_order_panel                         .      .      .     .    .    .       r     .     .     r      r      r    r       r       r       r     .        .        .      .
stock.picking.amazon_hold_changes                     .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
stock.picking.amazon_hold_ids                         .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
"""  # noqa: E501
)

# Routes of controllers of the addon; all else goes through Odoo's own RPC. A plus: the
# file is sent, a dot: refused. Nobody who is not logged in gets there.
ROUTES = _rows(
    """
                                                      public portal staff own  team manager sales stock books refund cancel edit message approve journal admin approve0 journal0 admin0 system
/amazon_order_actions/file/<int:file_id>           .      .      .     .    .    .       .     .     .     +      +      +    +       +       +       +     .        .        .      .
/amazon_order_actions/journal/<int:export_id>      .      .      .     .    .    .       .     .     .     .      .      .    .       .       +       .     .        +        .      .
/amazon_order_actions/journal/anchors              .      .      .     .    .    .       .     .     .     .      .      .    .       .       +       .     .        +        .      .
/amazon_order_actions/health                       .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
/amazon_order_actions/metrics                      .      .      .     .    .    .       .     .     .     .      .      .    .       .       .       .     .        .        .      .
"""  # noqa: E501
)
