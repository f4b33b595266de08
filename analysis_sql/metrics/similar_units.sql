-- Similar units per unit, mean over the layers: over live units (text), or with a dead unit counted as -1 (released).
-- grain: sweep_id, trial_id, definition, split, sample
with by_layer as (
    select
        final_trials.sweep_id,
        units.trial_id,
        units.split,
        units.sample,
        units.layer,
        avg(units."similar") as live_mean,
        stddev_pop(units."similar") as live_std,
        avg(coalesce(units."similar", -1)) as all_mean,
        stddev_pop(coalesce(units."similar", -1)) as all_std,
        count(*) filter (units.dead) as dead_units,
        count(*) as unit_count
    from final_trials
    join units using (trial_id)
    join sweep_measurements
        on sweep_measurements.sweep_id = final_trials.sweep_id
        and sweep_measurements.measurement_id = units.measurement_id
    group by all
)

select
    sweep_id, trial_id, 'text' as definition, split, sample,
    avg(live_mean) as similar_units, avg(live_std) as similar_units_std,
    sum(dead_units)::bigint as dead_units, sum(unit_count)::bigint as unit_count
from by_layer
group by all

union all

select
    sweep_id, trial_id, 'released' as definition, split, sample,
    avg(all_mean) as similar_units, avg(all_std) as similar_units_std,
    sum(dead_units)::bigint as dead_units, sum(unit_count)::bigint as unit_count
from by_layer
group by all
