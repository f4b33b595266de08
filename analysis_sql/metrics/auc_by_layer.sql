-- Area under each layer's own curve of unchanged labels.
-- grain: sweep_id, trial_id, definition, split, sample, layer
select
    sweep_id,
    trial_id,
    definition,
    split,
    sample,
    layer,  -- by name
    auc
from auc_curves
where layer is not null
