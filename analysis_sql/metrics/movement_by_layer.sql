-- How far training took each layer's weights, and the activations of the measured ones, from where they began.
-- grain: sweep_id, trial_id, split, layer
select
    sweep_id,
    trial_id,
    split,
    layer,
    sqrt(
        sum((movement * initial_norm) ** 2) / sum(initial_norm ** 2) filter (movement is not null)
    ) as movement,  -- ‖W − W₀‖ / ‖W₀‖
    avg(spectral_movement) as spectral_movement,  -- the same of largest singular values, mean over the layer's maps
    any_value(activation_change) as activation_change,  -- 1 - r of a unit with itself before training, mean over units
    any_value(constant_before / units) as constant_before,  -- share of units of constant activation before training
    any_value(constant_after / units) as constant_after  -- and after
from asked_measurements
join (
    from movement
    union all by name
    from activation_changes
) using (trial_id, measurement_id)
group by all
