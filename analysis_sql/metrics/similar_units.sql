-- Similar units per unit, mean over the layers that count (Inception-v3-layer: the one that is scaled).
-- grain: sweep_id, trial_id, definition, split, sample
select
    sweep_id,
    trial_id,
    definition,
    split,
    sample,
    avg(similar_units) as similar_units,  -- mean over the units of each layer, then over the layers
    avg(similar_units_std) as similar_units_std,  -- mean over the layers of the standard deviation over units
    sum(dead_units)::bigint as dead_units,
    sum(unit_count)::bigint as unit_count
from similar_units_by_layer
join measured_layers using (sweep_id, trial_id)
where only_layer is null or layer = only_layer
group by all
