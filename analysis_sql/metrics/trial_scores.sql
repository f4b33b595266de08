-- Each final trial's accuracy, area under the curve and similar units, means over the samples.
-- grain: sweep_id, trial_id, series, definition, split
with areas as (
    select sweep_id, trial_id, definition, split, avg(auc) as auc
    from auc
    group by all
),

similarities as (
    select
        sweep_id, trial_id, definition, split,
        avg(similar_units) as similar_units,
        avg(similar_units_std) as similar_units_std,
        avg(dead_units / unit_count) as dead_share
    from similar_units
    group by all
)

select *
from areas
full join similarities using (sweep_id, trial_id, definition, split)
join final_trials using (sweep_id, trial_id)
