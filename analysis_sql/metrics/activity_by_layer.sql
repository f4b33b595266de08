-- How many units of each layer are dead, nearly dead and live, where similarity was measured over all vectors.
-- grain: sweep_id, trial_id, split, layer
select
    sweep_id,
    trial_id,
    split,
    layer,
    count(*) as unit_count,  -- dead ones too
    count(*) filter (dead) as dead_units,  -- units of constant activation
    count(*) filter (not dead and active_share < 0.001) as nearly_dead_units,  -- active at fewer than 1 in 1,000 positions
    median(active_inputs) filter (not dead and active_share < 0.001) as nearly_dead_inputs,  -- at which such a unit is active
    count(*) filter (not dead and active_share >= 0.001) as live_units  -- neither
from similarity_measurements
join activity using (trial_id, measurement_id, split)
join units using (trial_id, measurement_id, split, layer, unit)
where vectors = 'all'
group by all
