-- What has become of each final trial of a sweep: not run, failed, diverged, not measured or measured.
-- grain: sweep_id, trial_id
with wanted as (
    select sweep_id, count(*) as measurements
    from sweep_measurements
    group by all
),

found as (
    select sweep_measurements.sweep_id, measurements.trial_id, count(*) as measurements
    from sweep_measurements
    join measurements using (measurement_id)
    group by all
)

select
    sweep_trials.sweep_id,
    sweep_trials.trial_id,
    sweep_trials.group_id,
    case
        when trials.status is null then 'not run'
        when trials.status <> 'done' then trials.status
        when found.measurements = wanted.measurements then 'measured'
        else 'not measured'
    end as state
from sweep_trials
join wanted using (sweep_id)
left join trials using (trial_id)
left join found on found.sweep_id = sweep_trials.sweep_id and found.trial_id = sweep_trials.trial_id
where sweep_trials.kind = 'final'
