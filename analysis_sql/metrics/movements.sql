-- Each final trial of `scores` whose movement was measured, with it: means over its measured layers, as of other scores.
-- grain: trial_id
select
    scores.*,
    avg(movement) as movement,  -- of the layers' weights: ‖W − W₀‖ / ‖W₀‖; the output layer's do not count
    avg(spectral_movement) as spectral_movement,  -- the same of largest singular values
    avg(activation_change) as activation_change  -- 1 - r of a unit with itself before training
from scores
join default_measurements using (trial_id)
join movement_by_layer using (sweep_id, trial_id, split)
where metric = 'movement' and activation_change is not null
group by all
