-- Each final trial of `scores` whose movement was measured, with it: means over its layers.
-- grain: trial_id
select
    scores.*,
    avg(movement) as movement,  -- of the layers with weights: ‖W − W₀‖ / ‖W₀‖
    avg(spectral_movement) as spectral_movement,  -- the same of largest singular values
    avg(activation_change) as activation_change  -- of the measured layers: 1 - r of a unit with itself before training
from scores
join movement_by_layer using (sweep_id, trial_id, split)
group by all
