-- The measurement of each metric that counts for a trial: what the latest sweep with this trial asks for.
-- grain: trial_id, metric, split
with asked as (
    select
        trial_id,
        metric,
        split,
        arg_max(measurement_id, (updated_at, sweep_id)) as measurement_id
    from sweep_trials
    join sweeps using (sweep_id)
    join sweep_measurements using (sweep_id)
    where kind = 'final'
    group by all
)

from asked

union all

-- where the record of the sweep is gone, the newest version
select
    trial_id,
    metric,
    split,
    arg_max(measurement_id, (version, measurement_id)) as measurement_id
from measurements
anti join asked using (trial_id, metric)
group by all
