-- Similar units per unit of each layer: over live units (text), or with a dead unit counted as -1 (released).
-- grain: sweep_id, trial_id, definition, split, sample, layer
with counted as (
    select
        sweep_finals.sweep_id,
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
    from sweep_finals
    join units using (trial_id)
    join sweep_measurements
        on sweep_measurements.sweep_id = sweep_finals.sweep_id
        and sweep_measurements.measurement_id = units.measurement_id
    group by all
)

select
    sweep_id,
    trial_id,
    definition,
    split,
    sample,
    layer,
    case when definition = 'text' then live_mean else all_mean end as similar_units,
    case when definition = 'text' then live_std else all_std end as similar_units_std,
    dead_units,
    unit_count
from counted
cross join (values ('text'), ('released')) as definitions (definition)
