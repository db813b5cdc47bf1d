from . import ir_module_module
from . import helpdesk_ticket
from . import helpdesk_ticket_conversation
from . import amazon_action
from . import amazon_reply
from . import amazon_authority
from . import sale_order
from . import queue_job
