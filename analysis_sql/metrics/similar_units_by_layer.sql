-- Similar units per unit of each layer, of what each sweep asks for.
-- grain: sweep_id, trial_id, definition, split, sample, layer
select
    sweep_id,
    trial_id,
    definition,
    split,
    sample,
    layer,
    similar_units,
    similar_units_std,
    dead_units,
    unit_count
from similar_units_by_measurement
join asked_measurements using (trial_id, measurement_id)
