"""SmartSim's own classes of training data, without the rest of SmartSim and what it needs: `ml` uses its log and its errors only."""

import importlib.util
import logging
import sys
import types
from pathlib import Path

import pytest

spec = importlib.util.find_spec("smartsim")
if spec is None or spec.origin is None:
    pytest.skip("there is no smartsim package", allow_module_level=True)

package = types.ModuleType("smartsim")
package.__path__ = [str(Path(spec.origin).parent)]
log = types.ModuleType("smartsim.log")
log.get_logger = logging.getLogger
sys.modules.update({"smartsim": package, "smartsim.log": log})

from smartsim.ml import DataDownloader, DataInfo, TrainingDataUploader  # noqa: E402

__all__ = ["DataDownloader", "DataInfo", "TrainingDataUploader"]
