"""Who gets what over HTTP: the table that ``test_permission_http.py`` is made from.

It says what is wanted. A column is a person around one ticket and its order: outside,
inside without the ticket, inside with it, and in another company. A row is what that
person asks for: an address, a call, a model, a button. The test asks as a browser does,
with the session of that person or none.

The secrets of ``MARKS`` stand in the ticket, the order and what was done on it, each
in one place. A cell names those that the person gets, and no others:

- letters: what was in the answers, by any of the ways of the row;
- ``0``: answered, with none of it (the own page, a picture of nothing);
- a dot: refused, empty, or sent to the login.

A new route needs a row in ``ROUTES``, a new model one in ``MODELS``: the tests fail
without. What a row asks for is in ``test_permission_http.py``.
"""

from .permission_table import HELPDESK, SALES, _alone, _groups, _rows

# Who asks, and with which groups; without any, nobody who can log in.
PEOPLE = {
    "anonymous": (),
    # has written mails, and has the links of those that he got
    "stranger": (),
    # customers: of the ticket, of another ticket; and who follows the ticket
    "customer": ("base.group_portal",),
    "customer2": ("base.group_portal",),
    "follower": ("base.group_portal",),
    # colleagues who may not read the ticket
    "own": _groups("helpdesk_mgmt.group_helpdesk_user_own"),
    "own_refund": _groups(
        "helpdesk_mgmt.group_helpdesk_user_own", "amazon_order_actions.group_refund"
    ),
    "approver0": _alone("approve"),
    "journal": _alone("journal"),
    "admin": _alone("admin"),
    # colleagues who may
    "trainee": _groups(HELPDESK, SALES),
    "approver": _groups(HELPDESK, "amazon_order_actions.group_approve"),
    "auditor": _groups(HELPDESK, "amazon_order_actions.group_journal"),
    "agent": _groups(
        HELPDESK,
        SALES,
        "amazon_order_actions.group_refund",
        "amazon_order_actions.group_cancel",
        "amazon_order_actions.group_edit",
        "amazon_order_actions.group_message",
    ),
    # who may do all that in another company
    "other": _groups(
        HELPDESK,
        SALES,
        "amazon_order_actions.group_refund",
        "amazon_order_actions.group_cancel",
        "amazon_order_actions.group_edit",
        "amazon_order_actions.group_message",
        "amazon_order_actions.group_journal",
    ),
}

# The secrets. E, which has no word, is an evidence pack itself.
MARKS = {
    "T": "zxTitleOfTheTicketxz",
    "D": "zxTextOfTheTicketxz",
    "C": "zxCommentToFollowersxz",
    "N": "zxNoteAmongColleaguesxz",
    "R": "zxReplyToTheBuyerxz",
    "U": "zxFileOfTheCustomerxz",
    "B": "zxBuyersReasonxz",
    "A": "zxNoteOnTheActionxz",
    "J": "zxEntryOfTheJournalxz",
    # a feed as it was sent, and Amazon's report
    "F": "<x>Amsel</x>",
    # anything else of the company's Amazon records
    "W": "Amsel",
    # anything of the other company, and of the account's secrets
    "Z": "Zaunkoenig",
    "S": "demo-secret",
}


def _table(text):
    return _rows(text, PEOPLE)


# Pages, and the files that they link to. What is opened is in ``page_…`` of the test.
PAGES = _table(
    """
                anonymous  stranger  customer  customer2  follower  own  own_refund  approver0  journal  admin  trainee  approver  auditor  agent  other
ticket          .          .         TDU       .          TDU       .    .           .          .        .      TDU      TDU       TDU      TDU    .
ticket_by_link  .          TDU       TDU       .          TDU       .    .           .          .        .      TDU      TDU       TDU      TDU    .
ticket_close    .          .         TD        .          TD        .    .           .          .        .      TD       TD        TD       TD     .
tickets         .          .         T         W          T         0    0           0          0        0      TW       TW        TW       TW     Z
sale_order      .          .         0         .          .         .    .           .          .        .      0        .         .        0      .
sale_orders     .          .         0         0          0         0    0           0          0        0      0        0         0        0      0
mails           .          TDU       .         .          TDU       .    .           .          .        .      .        .         .        .      .
mail_view       .          .         TD        .          TD        .    .           .          .        .      .        .         .        .      .
mail_message    .          .         .         .          .         .    .           .          .        .      .        .         .        .      .
text_as_file    .          .         .         .          .         .    .           .          .        .      .        .         .        .      .
report          .          .         0         .          .         .    .           .          .        .      0        .         .        0      .
json_ticket     .          .         .         .          .         .    .           .          .        .      TDBW     TDBW      TDBW     TDBW   .
json_action     .          .         .         .          .         .    .           AW         AW       .      W        AW        AW       AW     Z
json_order      .          .         .         .          .         W    W           W          W        .      BW       BW        BW       BW     Z
"""  # noqa: E501
)

# Files, by their own address and by each of Odoo's routes for files.
FILES = _table(
    """
                      anonymous  stranger  customer  customer2  follower  own  own_refund  approver0  journal  admin  trainee  approver  auditor  agent  other
ticket's_pack         .          .         .         .          .         .    .           .          .        .      .        E         E        E      .
sale_order's_pack     .          .         .         .          .         .    .           .          .        .      .        .         .        E      .
order's_pack          .          .         .         .          .         .    .           .          .        .      .        .         .        E      .
pack_with_journal     .          .         .         .          .         .    .           .          .        .      .        .         E        .      .
file_of_the_customer  .          .         .         .          .         .    .           .          .        .      U        U         U        U      .
payload_of_a_feed     .          .         .         .          .         .    .           .          FW       .      .        .         FW       .      .
report_of_a_feed      .          .         .         .          .         .    .           .          FW       .      .        .         FW       .      .
"""  # noqa: E501
)

# Routes of the addon's controllers, each with a record of the person's own.
ROUTES = _table(
    """
                                                  anonymous  stranger  customer  customer2  follower  own  own_refund  approver0  journal  admin  trainee  approver  auditor  agent  other
/amazon_order_actions/file/<int:file_id>       .          .         .         .          .         .    .           .          .        .      .        E         E        E      .
/amazon_order_actions/journal/<int:export_id>  .          .         .         .          .         .    .           .          JW       .      .        .         JW       .      .
/amazon_order_actions/journal/anchors          .          .         .         .          .         .    .           .          W        .      .        .         W        .      Z
/amazon_order_actions/health                   .          .         .         .          .         .    .           .          .        .      .        .         .        .      .
/amazon_order_actions/metrics                  .          .         .         .          .         .    .           .          .        .      .        .         .        .      .
"""  # noqa: E501
)

# Calls of the chatter, and the files that they have a token for. Of a thread that one
# may not read, Odoo answers with messages of others that one may.
CALLS = _table(
    """
            anonymous  stranger  customer  customer2  follower  own  own_refund  approver0  journal  admin  trainee  approver  auditor  agent  other
messages    .          .         TC        0          TC        .    .           .          .        .      TCNRW    TCNRW     TCNRW    TCNRW  Z
chatter     0          C         C         0          C         0    0           0          0        0      CR       CR        CR       CR     0
thread      0          U         .         0          0         0    0           0          0        0      TUW      TUW       TUW      TUW    0
activities  .          .         .         .          .         0    0           0          0        0      0        0         0        0      0
"""  # noqa: E501
)

# Records, read, searched, grouped, named and exported; of Odoo's own models those that
# belong to the ticket. Dialogs have no row: nobody reads those of others.
MODELS = _table(
    """
                             anonymous  stranger  customer  customer2  follower  own  own_refund  approver0  journal  admin  trainee  approver  auditor  agent  other
helpdesk.ticket              .          .         T         .          T         .    .           .          .        .      TDBW     TDBW      TDBW     TDBW   .
sale.order                   .          .         0         .          .         .    .           .          .        .      TBW      .         .        TBW    .
mail.message                 .          .         TC        .          TC        .    .           .          .        .      TCNRW    TCNRW     TCNRW    TCNRW  .
mail.mail                    .          .         .         .          .         .    .           .          .        .      .        .         .        .      .
mail.activity                .          .         .         .          .         0    0           W          0        0      0        W         0        0      0
ir.attachment                .          .         .         .          .         .    .           .          .        .      TU       TU        TU       TU     .
amazon.account.kind          .          .         .         .          .         W    W           W          W        W      W        W         W        W      .
amazon.action                .          .         .         .          .         .    .           AW         AW       .      W        AW        AW       AW     .
amazon.action.line           .          .         .         .          .         .    .           W          W        .      W        W         W        W      .
amazon.alarm                 .          .         .         .          .         .    .           .          W        W      .        .         W        .      .
amazon.approval              .          .         .         .          .         .    .           W          W        .      W        W         W        W      .
amazon.audit.anchor          .          .         .         .          .         .    .           .          W        .      .        .         W        .      .
amazon.audit.check           .          .         .         .          .         .    .           .          0        .      .        .         0        .      .
amazon.audit.entry           .          .         .         .          .         .    .           .          JW       .      .        .         JW       .      .
amazon.audit.link            .          .         .         .          .         .    .           .          W        .      .        .         W        .      .
amazon.authority             .          .         .         .          .         .    .           .          0        0      .        .         0        .      .
amazon.careful.limit         .          .         .         .          .         .    .           .          W        W      .        .         W        .      .
amazon.call                  .          .         .         .          .         .    .           .          W        .      .        .         W        .      .
amazon.delegation            .          .         .         .          .         .    .           .          W        W      .        .         W        .      .
amazon.failure               .          .         .         .          .         .    .           .          .        W      .        .         .        .      .
amazon.feed                  .          .         .         .          .         .    .           .          W        .      .        .         W        .      .
amazon.file                  .          .         .         .          .         .    .           .          .        .      .        W         W        W      .
amazon.foreign.feed          .          .         .         .          .         .    .           .          W        W      .        .         W        .      .
amazon.order                 .          .         .         .          .         W    W           W          W        .      BW       BW        BW       BW     .
amazon.order.charge          .          .         .         .          .         W    W           W          W        .      W        W         W        W      .
amazon.order.line            .          .         .         .          .         W    W           W          W        .      W        W         W        W      .
amazon.order.refund          .          .         .         .          .         W    W           W          W        .      W        W         W        W      .
amazon.quota                 .          .         .         .          .         .    .           .          .        W      .        .         .        .      .
amazon.seller.account        .          .         .         .          .         W    W           W          W        W      W        W         W        W      .
amazon.seller.capability     .          .         .         .          .         .    .           .          .        W      .        .         .        .      .
amazon.seller.participation  .          .         .         .          .         .    .           .          .        W      .        .         .        .      .
amazon.stop                  .          .         .         .          .         .    .           .          W        W      .        .         W        .      .
amazon.watermark             .          .         .         .          .         .    .           .          W        W      .        .         W        .      .
amazon.life                  .          .         .         .          .         .    .           .          0        0      .        .         0        .      0
amazon.sending               .          .         .         .          .         .    .           .          W        .      .        .         W        .      W
amazon.host.clock            .          .         .         .          .         .    .           .          .        W      .        .         .        .      .
amazon.reply                 .          .         .         .          .         .    .           W          W        .      W        W         W        W      .
amazon.reply.template        .          .         .         .          .         .    .           .          .        0      .        .         .        0      .
"""  # noqa: E501
)

# Buttons: a plus where it goes through, with the letters of what it tells.
BUTTONS = _table(
    """
                                        anonymous  stranger  customer  customer2  follower  own  own_refund  approver0  journal  admin  trainee  approver  auditor  agent  other
helpdesk.ticket.action_amazon_refund    .          .         .         .          .         .    .           .          .        .      .        .         .        +      .
helpdesk.ticket.action_amazon_reply     .          .         .         .          .         .    .           .          .        .      .        .         .        +      .
helpdesk.ticket.action_amazon_evidence  .          .         .         .          .         .    .           .          .        .      .        +         +        +      .
sale.order.action_amazon_refund         .          .         .         .          .         .    .           .          .        .      .        .         .        +      .
amazon.order.action_amazon_evidence     .          .         .         .          .         .    +           +          +        .      .        +         +        +      .
amazon.order.action_refresh             .          .         .         .          .         +    +           +          +        .      +        +         +        +      .
amazon.action.action_withdraw           .          .         .         .          .         .    .           .          .        .      .        .         .        +      .
amazon.action.action_decide_unknown     .          .         .         .          .         .    .           .          .        .      .        .         .        +W     .
amazon.approval.action_approve          .          .         .         .          .         .    .           +          .        .      .        +         .        .      .
amazon.alarm.action_try_again           .          .         .         .          .         .    .           .          .        +      .        .         .        .      .
amazon.audit.entry.action_verify        .          .         .         .          .         .    .           .          +        .      .        .         +        .      +
amazon.audit.entry.action_export        .          .         .         .          .         .    .           .          +        .      .        .         +        .      +
amazon.seller.account.action_reencrypt  .          .         .         .          .         .    .           .          .        +      .        .         .        .      .
amazon.stop.action_resume               .          .         .         .          .         .    .           .          .        +      .        .         .        .      .
"""  # noqa: E501
)
