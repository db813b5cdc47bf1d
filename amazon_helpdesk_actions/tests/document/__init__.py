from . import test_ticket_panel
