-- Area under every curve of unchanged labels, a trial's and each layer's: by trapezoids (text), or the mean of its points.
-- grain: sweep_id, trial_id, definition, split, sample, layer or null
with curves as (
    select sweep_id, trial_id, definition, split, sample, null as layer, fraction, unchanged
    from ablation_curves
    union all by name
    from layer_curves
),

steps as (
    select
        *,
        fraction - lag(fraction) over along as run,
        (unchanged + lag(unchanged) over along) / 2 as height
    from curves
    window along as (partition by sweep_id, trial_id, definition, split, sample, layer order by fraction)
)

select
    sweep_id,
    trial_id,
    definition,
    split,
    sample,
    layer,  -- null for the curve of the trial
    case when definition = 'text' then sum(run * height) else avg(unchanged) end as auc  -- under unchanged labels, in [0, 1]
from steps
group by sweep_id, trial_id, definition, split, sample, layer
