-- Scores of each trial and of each of its layers, means over the samples.
-- grain: sweep_id, trial_id, definition, split, layer or null
select
    sweep_id,
    trial_id,
    definition,
    split,
    layer,  -- null for the trial as a whole
    avg(auc) as auc,
    avg(similar_units) as similar_units,  -- mean over units and samples
    avg(similar_units_std) as similar_units_std,  -- standard deviation over units, mean over samples
    stddev_pop(similar_units) as similar_units_sample_std,  -- standard deviation over samples
    avg(dead_units / unit_count) as dead_share  -- of the units, those of constant activation
from (
    from auc_curves
    union all by name
    from similar_units
    union all by name
    from similar_units_by_layer
)
group by all
