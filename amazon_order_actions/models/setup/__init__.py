from . import account
from . import mail
from . import people
from . import order
