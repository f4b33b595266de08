-- Measurements that a sweep asks for of each of its final trials, and the layers that count in them.
-- grain: sweep_id, trial_id, measurement_id
select
    sweep_id,
    trial_id,
    sweep_measurements.measurement_id,
    sweep_measurements.metric,
    measured_layers.only_layer,
    measured_layers.released_layer,
    measured_layers.released_scope
from measured_layers
join sweep_measurements using (sweep_id)
