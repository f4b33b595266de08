-- Scores of each trial and of each of its layers, means over the samples.
-- grain: sweep_id, trial_id, definition, split, layer or null
select
    sweep_id,
    trial_id,
    definition,
    split,
    layer,
    avg(auc) as auc,
    avg(similar_units) as similar_units,
    avg(similar_units_std) as similar_units_std,
    avg(dead_units / unit_count) as dead_share
from (
    from auc_curves
    union all by name
    from similar_units
    union all by name
    from similar_units_by_layer
)
group by all
