-- Area under each layer's own curve of unchanged labels.
-- grain: sweep_id, trial_id, definition, split, sample, layer
select * exclude (curve), substr(curve, 7) as layer
from areas
where starts_with(curve, 'layer ')
