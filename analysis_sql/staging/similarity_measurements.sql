-- Similarity of each final trial: the measurement that its sweep asks for, and one over all vectors if the trial has it.
-- grain: sweep_id, trial_id, measurement_id
with asked as (
    select
        asked_measurements.sweep_id,
        asked_measurements.trial_id,
        asked_measurements.only_layer,
        measurements.measurement_id,
        measurements.split,
        measurements.options ->> '$.threshold' as threshold,
        coalesce(json_type(measurements.options, '$.max_vectors') = 'NULL', false) as is_exact
    from asked_measurements
    join measurements using (trial_id, measurement_id)
    where measurements.metric = 'similarity'
),

exact as (
    select trial_id, split, options ->> '$.threshold' as threshold, max(measurement_id) as measurement_id
    from measurements
    where metric = 'similarity' and json_type(options, '$.max_vectors') = 'NULL'
    group by all
)

select
    sweep_id,
    trial_id,
    measurement_id,
    split,
    only_layer,
    case when is_exact then 'all' else 'drawn' end as vectors  -- all, or drawn at random
from asked

union all

select asked.sweep_id, asked.trial_id, exact.measurement_id, asked.split, asked.only_layer, 'all' as vectors
from asked
join exact
    on exact.trial_id = asked.trial_id
    and exact.split = asked.split
    and exact.threshold is not distinct from asked.threshold
where not asked.is_exact
