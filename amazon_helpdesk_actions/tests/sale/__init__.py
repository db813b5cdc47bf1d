from . import test_ticket_credit
