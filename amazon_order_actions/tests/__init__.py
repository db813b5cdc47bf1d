from .account import *
from .control import *
from .conversation import *
from .journal import *
from .kinds import *
from .sale import *
