-- The measurement of each metric that stands for a trial, whatever its sweeps: first of all on the test split, by default.
-- grain: trial_id, metric
select
    trial_id,
    metric,
    sweep_id,  -- one that asks for it
    measurement_id,
    split,
    options
from asked_measurements
join measurements using (trial_id, measurement_id, metric)
qualify row_number() over (
    partition by trial_id, metric
    -- a later version is there only where the one before was wrong
    order by (split = 'test', split, version, options::varchar = '{}', measurement_id, sweep_id) desc
) = 1
