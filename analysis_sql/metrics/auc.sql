-- Area under the curve of unchanged labels of each trial, as each definition has the curve.
-- grain: sweep_id, trial_id, definition, split, sample
select sweep_id, trial_id, definition, split, sample, auc
from auc_curves
where layer is null
