from .account import *
from .conversation import *
from .journal import *
from .kinds import *
from .sale import *
