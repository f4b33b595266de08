-- Area under each layer's own curve: single applications by trapezoids (text), or whole kernels by the mean (released).
-- grain: sweep_id, trial_id, definition, split, sample, layer
with curves as (
    select
        sweep_finals.sweep_id,
        ablation.trial_id,
        case ablation.granularity when 'application' then 'text' else 'released' end as definition,
        ablation.split,
        ablation.sample,
        ablation.layer,
        ablation.fraction,
        ablation.unchanged
    from sweep_finals
    join ablation using (trial_id)
    join sweep_measurements
        on sweep_measurements.sweep_id = sweep_finals.sweep_id
        and sweep_measurements.measurement_id = ablation.measurement_id
    where ablation.scope = 'layer'
),

steps as (
    select
        *,
        fraction - lag(fraction) over curve as run,
        (unchanged + lag(unchanged) over curve) / 2 as height
    from curves
    window curve as (partition by sweep_id, trial_id, definition, split, sample, layer order by fraction)
)

select
    sweep_id,
    trial_id,
    definition,
    split,
    sample,
    layer,
    case when definition = 'text' then sum(run * height) else avg(unchanged) end as auc
from steps
group by sweep_id, trial_id, definition, split, sample, layer
