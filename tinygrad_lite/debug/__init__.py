"""The window into jitted functions: what a plan does, why it was made, how long it takes, where a NaN comes from."""

from .nan import Found, find_nan
from .reasons import traces, why
from .report import Kernel, Report, explain, plan
from .times import Profile, profile
