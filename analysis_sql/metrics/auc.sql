-- Area under the curve of unchanged labels: by trapezoids (text), or the mean of the curve's points (released).
-- grain: sweep_id, trial_id, definition, split, sample
with steps as (
    select
        *,
        fraction - lag(fraction) over curve as run,
        (unchanged + lag(unchanged) over curve) / 2 as height
    from ablation_curves
    window curve as (partition by sweep_id, trial_id, definition, split, sample order by fraction)
)

select
    sweep_id,
    trial_id,
    definition,
    split,
    sample,
    case when definition = 'text' then sum(run * height) else avg(unchanged) end as auc
from steps
group by sweep_id, trial_id, definition, split, sample
