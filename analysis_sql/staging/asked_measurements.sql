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
left join measurements using (trial_id, measurement_id)
-- of a metric that was revised for some networks, the later version that the trial has
qualify coalesce(measurements.version, 0) = max(coalesce(measurements.version, 0)) over (
    partition by sweep_id, trial_id, sweep_measurements.metric, sweep_measurements.split
)
