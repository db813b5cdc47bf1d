from . import template
from . import mail
from . import recipient
from . import message
from . import reply
from . import shown_to_customers
from . import ir_websocket
from . import mail_message
