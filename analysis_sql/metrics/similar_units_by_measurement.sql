-- Similar units per unit of each measured layer: over live units (text), or with a dead unit counted as -1 (released).
-- grain: trial_id, measurement_id, definition, split, sample, layer
with counted as (
    select
        trial_id,
        measurement_id,
        split,
        sample,
        layer,
        avg(similar_units) as live_mean,
        stddev_pop(similar_units) as live_std,
        avg(coalesce(similar_units, -1)) as all_mean,
        stddev_pop(coalesce(similar_units, -1)) as all_std,
        count(*) filter (dead) as dead_units,
        count(*) as unit_count
    from units
    group by all
)

select
    trial_id,
    measurement_id,
    definition,  -- text or released
    split,
    sample,
    layer,
    case when definition = 'text' then live_mean else all_mean end as similar_units,  -- mean over the units
    case when definition = 'text' then live_std else all_std end as similar_units_std,  -- deviation over the units
    dead_units,  -- units of constant activation
    unit_count  -- dead ones too
from counted
cross join (values ('text'), ('released')) as definitions (definition)
