-- Area under every curve of unchanged labels: by trapezoids (text), or the mean of its points (released).
-- grain: sweep_id, trial_id, definition, split, sample, curve
with curves as (
    select sweep_id, trial_id, definition, split, sample, 'trial' as curve, fraction, unchanged
    from ablation_curves
    union all
    select sweep_id, trial_id, definition, split, sample, 'layer ' || layer as curve, fraction, unchanged
    from layer_curves
),

steps as (
    select
        *,
        fraction - lag(fraction) over along as run,
        (unchanged + lag(unchanged) over along) / 2 as height
    from curves
    window along as (partition by sweep_id, trial_id, definition, split, sample, curve order by fraction)
)

select
    sweep_id,
    trial_id,
    definition,
    split,
    sample,
    curve,
    case when definition = 'text' then sum(run * height) else avg(unchanged) end as auc
from steps
group by sweep_id, trial_id, definition, split, sample, curve
