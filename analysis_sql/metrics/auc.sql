-- Area under the curve of unchanged labels of each trial, as each definition has the curve.
-- grain: sweep_id, trial_id, definition, split, sample
select * exclude (curve)
from areas
where curve = 'trial'
