from autoreg.api import Trial as Trial
from autoreg.api import compress as compress
from autoreg.api import load_sweep as load_sweep
from autoreg.api import load_trial as load_trial
from autoreg.api import measure_model as measure_model
from autoreg.api import plan as plan
from autoreg.api import run as run
from autoreg.database.scores import Measures as Measures
from autoreg.report.results import Results as Results
from autoreg.surgery.small import Small as Small
from autoreg.surgery.small_file import narrow as narrow

__version__: str
